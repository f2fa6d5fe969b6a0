package wire_test

import (
	"bytes"
	"io"
	"reflect"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/wire"
)

// FuzzReader checks that packets which are read, written again and read again are the same.
func FuzzReader(f *testing.F) {
	f.Add([]byte(packets("hello\n", "0001", "", "0002", "0000")))
	f.Add([]byte("0003"))
	f.Add([]byte("FFF0"))
	f.Add([]byte("0009ERR x"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var out bytes.Buffer
		r, w, used := wire.NewReader(bytes.NewReader(stream)), wire.NewWriter(&out), 0
		for {
			kind, data, err := r.Next()
			if err != nil {
				break
			}
			switch kind {
			case wire.Flush:
				w.Flush()
			case wire.Delim:
				w.Delim()
			case wire.End:
				w.End()
			default:
				w.Finish(append(w.Start(), data...))
			}
			used += 4 + len(data)
		}
		if err := w.Send(); err != nil {
			t.Fatal(err)
		}
		if !bytes.EqualFold(out.Bytes(), stream[:used]) {
			t.Errorf("%q was read and written as %q", stream[:used], out.Bytes())
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(packets("command=ls-refs\n", "agent=git/2", "0001", "peel", "ref-prefix refs/", "0000")))
	f.Add([]byte(packets("command=fetch\n", "object-format=sha1", "0001", "want "+oidA, "have "+oidB, "done", "0000")))
	f.Add([]byte(packets("command=object-info\n", "0001", "size", "oid "+oidA, "0000")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := wire.NewReader(bytes.NewReader(stream))
		q, err := wire.ReadRequest(r)
		if q == nil || err != nil {
			return
		}
		switch q.Command {
		case "ls-refs":
			if a, err := wire.ReadLsRefs(r, 3); err == nil && len(a.Prefixes) > 3 {
				t.Errorf("%d prefixes kept", len(a.Prefixes))
			}
		case "fetch":
			if a, err := wire.ReadFetch(r, git.SHA1, fetchLimits); err == nil {
				checkFetch(t, a)
			}
		case "object-info":
			if a, err := wire.ReadObjectInfo(r, git.SHA1, 3); err == nil && len(a.IDs) > 3 {
				t.Errorf("%d ids kept", len(a.IDs))
			}
		default:
			t.Errorf("command %q", q.Command)
		}
	})
}

func checkFetch(t *testing.T, a *wire.Fetch) {
	if len(a.Wants)+len(a.WantRefs) > 3 || len(a.Haves) > 3 || len(a.Shallow) > 3 || len(a.DeepenNot) > 3 || a.Depth < 0 || a.DeepenSince < 0 {
		t.Errorf("bounds are not kept: %+v", a)
	}
}

func FuzzWants(f *testing.F) {
	f.Add([]byte(packets("want "+oidA+" thin-pack filter\n", "want "+oidB, "shallow "+oidA, "deepen 1", "filter blob:none", "0000",
		"have "+oidB, "0000", "done")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := wire.NewReader(bytes.NewReader(stream))
		q, err := wire.ReadWants(r, git.SHA1, fetchLimits)
		if q == nil || err != nil {
			return
		}
		checkFetch(t, q)
		for range 10 {
			if _, err := wire.ReadNegotiation(r, git.SHA1); err != nil {
				break
			}
		}
	})
}

// FuzzPush checks bounds, and that commands which are read, written again and
// read again are the same.
func FuzzPush(f *testing.F) {
	f.Add([]byte(packets("shallow "+oidB, zero+" "+oidA+" refs/heads/main\x00report-status push-options", oidA+" "+zero+" refs/x", "0000", "opt", "0000")))
	f.Add([]byte(packets("push-cert\x00report-status", "certificate version 0.1\n", "nonce 1\n", "\n", zero+" "+oidA+" refs/heads/main\n",
		"-----BEGIN SSH SIGNATURE-----\n", "push-cert-end\n", "0000")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		p, err := wire.ReadPush(wire.NewReader(bytes.NewReader(stream)), git.SHA1, pushLimits)
		if p == nil || err != nil {
			return
		}
		size := 0
		for _, o := range p.Options {
			size += len(o)
		}
		if len(p.Commands) > 3 || len(p.Shallow) > 2 || len(p.Options) > 3 || size > 20 || len(p.Certificate) > 1000 {
			t.Errorf("bounds are not kept: %+v", p)
		}
		if p.Certificate != nil || len(p.Commands) == 0 {
			return
		}
		var out bytes.Buffer
		w := wire.NewWriter(&out)
		for _, c := range p.Commands {
			w.Line(git.SHA1.Hex(c.Old) + " " + git.SHA1.Hex(c.New) + " " + c.Name)
		}
		w.Flush()
		if err := w.Send(); err != nil {
			return // a name that filled its packet has no room for a line feed
		}
		again, err := wire.ReadPush(wire.NewReader(&out), git.SHA1, pushLimits)
		if err != nil || !reflect.DeepEqual(again.Commands, p.Commands) {
			t.Errorf("%+v was written and read as %+v, %v", p.Commands, again, err)
		}
	})
}

func FuzzCapabilities(f *testing.F) {
	f.Add("multi_ack agent=git/2.39 symref=HEAD:refs/heads/main")
	f.Fuzz(func(t *testing.T, list string) {
		var rebuilt wire.Capabilities
		for name, value := range wire.Capabilities(list).All() {
			if !wire.Capabilities(list).Has(name) {
				t.Errorf("%q lists %q and does not have it", list, name)
			}
			rebuilt = rebuilt.With(name, value)
		}
		for name := range rebuilt.All() {
			if !wire.Capabilities(list).Has(name) {
				t.Errorf("%q became %q", list, rebuilt)
			}
		}
	})
}

func BenchmarkSideband(b *testing.B) {
	for _, size := range []int{500, 64 << 10, 1 << 20} {
		b.Run("", func(b *testing.B) {
			s, p := wire.NewSideband(io.Discard, true), make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				s.Write(p)
			}
		})
	}
}
