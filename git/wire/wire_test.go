package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/wire"
)

const (
	oidA = "1111111111111111111111111111111111111111"
	oidB = "2222222222222222222222222222222222222222"
	zero = "0000000000000000000000000000000000000000"
)

func id(t testing.TB, hex string) git.ID {
	t.Helper()
	v, err := git.SHA1.Parse(hex)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// packets encodes lines; "0000", "0001" and "0002" stand for themselves.
func packets(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		switch l {
		case "0000", "0001", "0002":
			b.WriteString(l)
		default:
			fmt.Fprintf(&b, "%04x%s", len(l)+4, l)
		}
	}
	return b.String()
}

func reader(lines ...string) *wire.Reader {
	return wire.NewReader(strings.NewReader(packets(lines...)))
}

func TestReader(t *testing.T) {
	big := strings.Repeat("x", wire.MaxData)
	stream := packets("hello\n", "0001", "", big, "0002", "0000") + "PACKrest"
	for name, src := range map[string]io.Reader{
		"whole":       strings.NewReader(stream),
		"bytewise":    iotest.OneByteReader(strings.NewReader(stream)),
		"eof at once": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			r := wire.NewReader(src)
			for _, want := range []struct {
				kind wire.Kind
				data string
			}{{wire.Data, "hello\n"}, {wire.Delim, ""}, {wire.Data, ""}, {wire.Data, big}, {wire.End, ""}, {wire.Flush, ""}} {
				kind, data, err := r.Peek()
				if err != nil || kind != want.kind || string(data) != want.data {
					t.Fatalf("Peek = %v, %d bytes, %v; want %v, %d bytes", kind, len(data), err, want.kind, len(want.data))
				}
				kind, data, err = r.Next()
				if err != nil || kind != want.kind || string(data) != want.data {
					t.Fatalf("Next = %v, %d bytes, %v; want %v, %d bytes", kind, len(data), err, want.kind, len(want.data))
				}
			}
			rest, err := io.ReadAll(r.Rest())
			if string(rest) != "PACKrest" || err != nil {
				t.Fatalf("rest = %q, %v", rest, err)
			}
		})
	}
}

func TestReaderFaults(t *testing.T) {
	for _, c := range []struct {
		stream, want string
		is           error
	}{
		{"", "EOF", io.EOF},
		{"00", "cut after 2 bytes", io.ErrUnexpectedEOF},
		{"0009abc", "cut after 7 bytes", io.ErrUnexpectedEOF},
		{"0003", "below 0004", nil},
		{"fff1", "above fff0", nil},
		{"ffff", "above fff0", nil},
		{"00g5", "not hexadecimal", nil},
		{"-001", "not hexadecimal", nil},
		{packets("ERR out of cheese\n"), "out of cheese", nil},
	} {
		_, _, err := wire.NewReader(strings.NewReader(c.stream)).Next()
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%q: error %v; want one with %q", c.stream, err, c.want)
		}
	}
}

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := wire.NewWriter(&out)
	w.Line("version 2")
	w.Line("a=5")
	w.Delim()
	w.Ref(git.SHA1, id(t, oidA), "refs/heads/main", " peeled:x")
	w.Flush()
	w.End()
	w.Mark(wire.BandData)
	w.Line("packfile")
	w.Error("no\tgood")
	if err := w.Send(); err != nil {
		t.Fatal(err)
	}
	want := packets("version 2\n", "a=5\n", "0001", oidA+" refs/heads/main peeled:x\n", "0000", "0002",
		"\x01packfile\n", "\x03no\tgood\n")
	if out.String() != want {
		t.Errorf("wrote %q\nwant  %q", out.String(), want)
	}
	w.Line(strings.Repeat("x", wire.MaxData))
	if err := w.Send(); err == nil || !strings.Contains(err.Error(), "65520") {
		t.Errorf("a packet too long: error %v", err)
	}
}

func TestWriterAllocatesNothingPerRef(t *testing.T) {
	w, a := wire.NewWriter(io.Discard), id(t, oidA)
	for range 20000 {
		w.Ref(git.SHA1, a, "refs/heads/warm-up", "")
	}
	if n := testing.AllocsPerRun(2000, func() { w.Ref(git.SHA1, a, "refs/heads/main", "") }); n != 0 {
		t.Errorf("%v allocations per ref", n)
	}
}

// demultiplex splits a sideband stream up to its flush packet.
func demultiplex(t *testing.T, stream []byte, longest int) (bands [4][]byte) {
	t.Helper()
	r := wire.NewReader(bytes.NewReader(stream))
	for {
		kind, data, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if kind == wire.Flush {
			return bands
		}
		if len(data) < 1 || data[0] < 1 || data[0] > 3 || len(data)+4 > longest {
			t.Fatalf("bad sideband packet of %d bytes", len(data))
		}
		bands[data[0]] = append(bands[data[0]], data[1:]...)
	}
}

func TestSideband(t *testing.T) {
	var data []byte
	for i := range 2_000_000 {
		data = append(data, byte(i*i>>3))
	}
	for large, longest := range map[bool]int{true: wire.MaxPacket, false: 1000} {
		var out bytes.Buffer
		s := wire.NewSideband(&out, large)
		rest, progress := data, ""
		for n := 1; len(rest) > 0; n = n*3 + 1 {
			n = min(n, len(rest))
			if _, err := s.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			p := fmt.Sprintf("at %d\r", len(rest))
			progress += p
			s.Progress(p)
		}
		s.Error("done for")
		s.Close()
		bands := demultiplex(t, out.Bytes(), longest)
		if !bytes.Equal(bands[1], data) || string(bands[2]) != progress || string(bands[3]) != "done for\n" {
			t.Errorf("large=%v: bands came out wrong: %d, %d, %d bytes", large, len(bands[1]), len(bands[2]), len(bands[3]))
		}
	}
}

// lockedBuffer may be read while another goroutine writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestSidebandKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		s := wire.NewSideband(&out, true)
		stop := s.KeepAlive(5 * time.Second)
		s.Write([]byte("kept back"))
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if want := "000e\x01kept back"; out.String() != want {
			t.Errorf("after 11 s %q was sent, want %q", out.String(), want)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if want := "000e\x01kept back0005\x010005\x01"; out.String() != want {
			t.Errorf("after 21 s %q was sent, want %q", out.String(), want)
		}
		stop()
		before := out.String()
		time.Sleep(time.Minute)
		if out.String() != before {
			t.Error("sent something after stop")
		}
	})
}

func TestCapabilities(t *testing.T) {
	c := wire.Capabilities(" multi_ack agent=git/2.39 symref=HEAD:refs/heads/main  empty=")
	if !c.Has("multi_ack") || c.Has("multi") || !c.Has("empty") {
		t.Error("Has is wrong")
	}
	if v, ok := c.Value("symref"); v != "HEAD:refs/heads/main" || !ok {
		t.Errorf("Value = %q, %v", v, ok)
	}
	got := wire.Capabilities("").With("thin-pack", "").With("agent", "ingot/1 (é)")
	if got != "thin-pack agent=ingot/1.(.)" {
		t.Errorf("With makes %q", got)
	}
}

func TestReadRequest(t *testing.T) {
	r := reader("command=ls-refs\n", "agent=git/2.39\n", "object-format=sha256", "server-option=a", "server-option=b=c", "0001",
		"peel\n", "symrefs\n", "ref-prefix refs/heads/\n", "ref-prefix HEAD\n", "unborn\n", "0000")
	q, err := wire.ReadRequest(r)
	want := &wire.Request{Command: "ls-refs", Agent: "git/2.39", ObjectFormat: "sha256", Options: []string{"a", "b=c"}}
	if err != nil || !reflect.DeepEqual(q, want) {
		t.Fatalf("ReadRequest = %+v, %v", q, err)
	}
	a, err := wire.ReadLsRefs(r, 10)
	wantArgs := &wire.LsRefs{Peel: true, Symrefs: true, Unborn: true, Prefixes: []string{"refs/heads/", "HEAD"}}
	if err != nil || !reflect.DeepEqual(a, wantArgs) {
		t.Fatalf("ReadLsRefs = %+v, %v", a, err)
	}
	if q, err := wire.ReadRequest(r); q != nil || err != nil {
		t.Fatalf("at the end: %+v, %v", q, err)
	}
	r = reader("command=fetch", "0000")
	if q, err := wire.ReadRequest(r); err != nil || q.Command != "fetch" {
		t.Fatal(q, err)
	}
	if a, err := wire.ReadFetch(r, git.SHA1, fetchLimits); err != nil || len(a.Wants) != 0 {
		t.Fatal("a request without a delimiter:", a, err)
	}
	for stream, want := range map[string]string{
		packets("agent=x", "0000"):                          "no command requested",
		packets("command=fetch", "command=ls-refs", "0000"): "already requesting",
		packets("command=push", "0000"):                     `invalid command "push"`,
		packets("command=fetch=x", "0000"):                  "invalid command",
		packets("frotz", "0000"):                            `unknown capability "frotz"`,
		packets("command=fetch", "0002"):                    "response end",
		packets("command=fetch"):                            "ends inside a request",
		strings.Repeat(packets("server-option=x"), 65):      "too many capabilities",
	} {
		if _, err := wire.ReadRequest(wire.NewReader(strings.NewReader(stream))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v; want one with %q", stream, err, want)
		}
	}
}

func TestTooManyPrefixesMeanAll(t *testing.T) {
	a, err := wire.ReadLsRefs(reader("ref-prefix a", "ref-prefix b", "ref-prefix c", "peel", "0000"), 2)
	if err != nil || a.Prefixes != nil || !a.Peel {
		t.Errorf("got %+v, %v", a, err)
	}
}

var fetchLimits = wire.FetchLimits{Wants: 3, Haves: 3, Shallows: 3}

func TestReadFetch(t *testing.T) {
	r := reader("want "+oidA+"\n", "want-ref refs/heads/main\n", "have "+oidB+"\n", "shallow "+oidA, "deepen-since 1234567890",
		"deepen-not refs/tags/v1", "deepen-not main", "filter blob:none", "thin-pack\n", "ofs-delta\n", "no-progress\n",
		"include-tag\n", "deepen-relative\n", "wait-for-done\n", "sideband-all\n", "done\n", "0000")
	a, err := wire.ReadFetch(r, git.SHA1, fetchLimits)
	want := &wire.Fetch{
		Wants: []git.ID{id(t, oidA)}, WantRefs: []string{"refs/heads/main"}, Haves: []git.ID{id(t, oidB)}, Shallow: []git.ID{id(t, oidA)},
		DeepenSince: 1234567890, DeepenNot: []string{"refs/tags/v1", "main"}, DeepenRelative: true, Filter: "blob:none",
		ThinPack: true, OfsDelta: true, NoProgress: true, IncludeTag: true, Done: true, WaitForDone: true, SidebandAll: true,
	}
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Fatalf("ReadFetch = %+v, %v", a, err)
	}
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"bad object id", []string{"want 1234", "0000"}},
		{"not hexadecimal", []string{"want " + strings.Repeat("z", 40), "0000"}},
		{"too many want lines: at most 3", []string{"want " + oidA, "want " + oidA, "want " + oidA, "want " + oidA, "0000"}},
		{"too many have lines", []string{"have " + oidA, "have " + oidA, "have " + oidA, "have " + oidA, "0000"}},
		{"too many shallow lines", []string{"shallow " + oidA, "shallow " + oidA, "shallow " + oidA, "shallow " + oidA, "0000"}},
		{"too many want lines", []string{"want-ref a", "want-ref b", "want-ref c", "want-ref d", "0000"}},
		{"duplicate want-ref", []string{"want-ref a", "want-ref a", "0000"}},
		{"invalid deepen", []string{"deepen 0", "0000"}},
		{"invalid deepen", []string{"deepen 99999999999", "0000"}},
		{"invalid deepen", []string{"deepen 3x", "0000"}},
		{"invalid deepen-since", []string{"deepen-since -1", "0000"}},
		{"cannot be used together", []string{"deepen 1", "deepen-not x", "0000"}},
		{"multiple filter-specs", []string{"filter a", "filter b", "0000"}},
		{"unexpected line", []string{"gimme", "0000"}},
		{"expected flush", []string{"done", "0001"}},
		{"ends inside fetch arguments", []string{"done"}},
	} {
		if _, err := wire.ReadFetch(reader(c.lines...), git.SHA1, fetchLimits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v; want one with %q", c.lines, err, c.want)
		}
	}
}

func TestReadWants(t *testing.T) {
	r := reader("want "+oidA+" multi_ack_detailed thin-pack filter agent=git/2\n", "want "+oidB+"\n", "shallow "+oidB+"\n",
		"deepen 3\n", "filter tree:0\n", "0000", "have "+oidA+"\n", "0000", "done\n")
	q, err := wire.ReadWants(r, git.SHA1, fetchLimits)
	want := &wire.Fetch{
		Wants: []git.ID{id(t, oidA), id(t, oidB)}, Shallow: []git.ID{id(t, oidB)}, Depth: 3, Filter: "tree:0", ThinPack: true,
		Capabilities: "multi_ack_detailed thin-pack filter agent=git/2",
	}
	if err != nil || !reflect.DeepEqual(q, want) {
		t.Fatalf("ReadWants = %+v, %v", q, err)
	}
	for _, want := range []wire.Negotiation{{Have: id(t, oidA)}, {End: true}, {Done: true}} {
		if n, err := wire.ReadNegotiation(r, git.SHA1); n != want || err != nil {
			t.Errorf("ReadNegotiation = %+v, %v; want %+v", n, err, want)
		}
	}
	if _, err := wire.ReadNegotiation(r, git.SHA1); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for _, lines := range [][]string{{}, {"0000"}} {
		if q, err := wire.ReadWants(reader(lines...), git.SHA1, fetchLimits); q != nil || err != nil {
			t.Errorf("%q: %+v, %v; want nothing", lines, q, err)
		}
	}
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"not negotiated", []string{"want " + oidA + " thin-pack", "filter blob:none", "0000"}},
		{"expected to get object ID", []string{"have " + oidA, "0000"}},
		{"ends inside", []string{"want " + oidA}},
	} {
		if _, err := wire.ReadWants(reader(c.lines...), git.SHA1, fetchLimits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v; want one with %q", c.lines, err, c.want)
		}
	}
	if _, err := wire.ReadNegotiation(reader("want "+oidA), git.SHA1); err == nil || !strings.Contains(err.Error(), "expected a list of haves") {
		t.Error("a want among the haves:", err)
	}
}

func TestReadObjectInfo(t *testing.T) {
	a, err := wire.ReadObjectInfo(reader("size\n", "oid "+oidA+"\n", "0000"), git.SHA1, 2)
	if err != nil || !reflect.DeepEqual(a, &wire.ObjectInfo{Size: true, IDs: []git.ID{id(t, oidA)}}) {
		t.Errorf("got %+v, %v", a, err)
	}
}

var pushLimits = wire.PushLimits{Commands: 3, Shallows: 2, Options: 3, OptionBytes: 20, CertBytes: 1000}

func TestReadPush(t *testing.T) {
	r := wire.NewReader(strings.NewReader(packets("shallow "+oidB+"\n", zero+" "+oidA+" refs/heads/main\x00 report-status push-options\n",
		oidA+" "+zero+" refs/heads/old", "0000", "ci.skip", "a=b\n", "0000") + "PACK"))
	p, err := wire.ReadPush(r, git.SHA1, pushLimits)
	want := &wire.Push{
		Commands: []wire.Command{{New: id(t, oidA), Name: "refs/heads/main"}, {Old: id(t, oidA), Name: "refs/heads/old"}},
		Shallow:  []git.ID{id(t, oidB)}, Capabilities: " report-status push-options", Options: []string{"ci.skip", "a=b"},
	}
	if err != nil || !reflect.DeepEqual(p, want) {
		t.Fatalf("ReadPush = %+v, %v", p, err)
	}
	if !p.Pack() || (&wire.Push{Commands: p.Commands[1:]}).Pack() {
		t.Error("Pack is wrong")
	}
	if rest, _ := io.ReadAll(r.Rest()); string(rest) != "PACK" {
		t.Errorf("rest = %q", rest)
	}
	for _, lines := range [][]string{{}, {"0000"}} {
		if p, err := wire.ReadPush(reader(lines...), git.SHA1, pushLimits); p != nil || err != nil {
			t.Errorf("%q: %+v, %v; want nothing", lines, p, err)
		}
	}
	command := zero + " " + oidA + " refs/heads/"
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"expected old/new/ref", []string{"hello", "0000"}},
		{"expected old/new/ref", []string{zero + " " + oidA + " ", "0000"}},
		{"expected old/new/ref", []string{zero + "-" + oidA + " refs/heads/x", "0000"}},
		{"not hexadecimal", []string{zero + " " + strings.Repeat("g", 40) + " refs/heads/x", "0000"}},
		{"too many ref updates in one push: at most 3", []string{command + "a", command + "b", command + "c", command + "d", "0000"}},
		{"too many shallow lines", []string{"shallow " + oidA, "shallow " + oidA, "shallow " + oidA, "0000"}},
		{"delimiter packet", []string{command + "a", "0001"}},
		{"ends inside", []string{command + "a"}},
		{"too many push options", []string{command + "a\x00push-options", "0000", "1", "2", "3", "4", "0000"}},
		{"too many bytes of push options", []string{command + "a\x00push-options", "0000", strings.Repeat("x", 21), "0000"}},
		{"ends inside push options", []string{command + "a\x00push-options", "0000"}},
	} {
		if _, err := wire.ReadPush(reader(c.lines...), git.SHA1, pushLimits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v; want one with %q", c.lines, err, c.want)
		}
	}
}

func TestReadSignedPush(t *testing.T) {
	command := oidA + " " + oidB + " refs/heads/main\n"
	head := []string{"certificate version 0.1\n", "pusher A <a@b> 1 +0000\n", "nonce 123-abc\n", "push-option x=y\n", "\n"}
	sign := []string{"-----BEGIN PGP SIGNATURE-----\n", "\n", "junk\n", "-----END PGP SIGNATURE-----\n"}
	lines := append([]string{"push-cert\x00report-status"}, head...)
	lines = append(append(append(lines, command), sign...), "push-cert-end\n", "0000")
	p, err := wire.ReadPush(reader(lines...), git.SHA1, pushLimits)
	if err != nil {
		t.Fatal(err)
	}
	if want := []wire.Command{{Old: id(t, oidA), New: id(t, oidB), Name: "refs/heads/main"}}; !reflect.DeepEqual(p.Commands, want) {
		t.Errorf("commands %+v", p.Commands)
	}
	if want := strings.Join(head, "") + command + strings.Join(sign, ""); string(p.Certificate) != want {
		t.Errorf("certificate %q, want %q", p.Certificate, want)
	}
	if nonce, _ := p.CertificateHeader("nonce"); nonce != "123-abc" || !reflect.DeepEqual(p.CertificateOptions(), []string{"x=y"}) {
		t.Errorf("nonce %q, options %q", nonce, p.CertificateOptions())
	}
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"malformed push certificate", []string{"push-cert", "x\n", "push-cert-end\n", "0000"}},
		{"both push certificate and unsigned", append([]string{strings.TrimSuffix(command, "\n")}, lines...)},
		{"both push certificate and unsigned", append(lines[:len(lines)-1:len(lines)-1], command, "0000")},
		{"too many bytes of push certificate", []string{"push-cert", strings.Repeat("x", 1001), "0000"}},
		{"more than one push certificate", append(lines[:len(lines)-1:len(lines)-1], lines...)},
	} {
		if _, err := wire.ReadPush(reader(c.lines...), git.SHA1, pushLimits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v; want one with %q", c.lines, err, c.want)
		}
	}
}

func TestWriteReport(t *testing.T) {
	rep := &wire.Report{Refs: []wire.RefStatus{
		{Name: "refs/heads/a"},
		{Name: "refs/heads/b", Error: "funny\nrefname"},
	}}
	var out bytes.Buffer
	if err := wire.WriteReport(&out, rep); err != nil {
		t.Fatal(err)
	}
	if want := packets("unpack ok\n", "ok refs/heads/a\n", "ng refs/heads/b funny refname\n", "0000"); out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}
	out.Reset()
	if err := wire.WriteReport(&out, &wire.Report{Unpack: "no room"}); err != nil {
		t.Fatal(err)
	}
	if want := packets("unpack no room\n", "0000"); out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// vectors is a stream that takes pieces, and counts in how many calls.
type vectors struct {
	bytes.Buffer
	calls int
	fail  error
}

func (v *vectors) WriteVectors(bufs [][]byte) (n int64, err error) {
	v.calls++
	for i, b := range bufs {
		if v.fail != nil {
			return n, v.fail
		}
		v.Write(b)
		n += int64(len(b))
		bufs[i] = nil // as the contract allows
	}
	return n, nil
}

// TestSidebandVectors: pieces of all sizes arrive as they were, between data that
// was gathered and messages, whatever the stream can do.
func TestSidebandVectors(t *testing.T) {
	want := make([]byte, 3<<20)
	for i := range want {
		want[i] = byte(i * i >> 7)
	}
	for _, large := range []bool{true, false} {
		var taking vectors
		var plain bytes.Buffer
		for name, out := range map[string]interface {
			io.Writer
			io.Reader
		}{"vectors": &taking, "writes": &plain} {
			s := wire.NewSideband(out, large)
			rest := want
			for size := 1; len(rest) > 0; size = size*3 + 1 {
				var bufs [][]byte
				for n := 0; n < 4 && len(rest) > 0; n++ {
					k := min(size, len(rest))
					bufs = append(bufs, rest[:k], nil)
					rest = rest[k:]
				}
				sent := int64(0)
				for _, b := range bufs {
					sent += int64(len(b))
				}
				if n, err := s.WriteVectors(bufs); err != nil || n != sent {
					t.Fatalf("%s: wrote %d of %d, %v", name, n, sent, err)
				}
				k := min(10, len(rest))
				s.Write(rest[:k])
				rest = rest[k:]
				s.Progress("on it\r")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var got []byte
			r := wire.NewReader(out)
			for {
				kind, data, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if kind == wire.Flush {
					break
				}
				if data[0] == wire.BandData {
					got = append(got, data[1:]...)
				} else if string(data[1:]) != "on it\r" {
					t.Fatalf("%s: message %q", name, data)
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, large %v: %d bytes came, %d were sent, or they differ", name, large, len(got), len(want))
			}
		}
		if large && taking.calls > 20 {
			t.Errorf("%d calls for 3 MiB", taking.calls)
		}
	}
	broken := &vectors{fail: io.ErrClosedPipe}
	s := wire.NewSideband(broken, true)
	for range 2 { // the error sticks
		if _, err := s.WriteVectors([][]byte{want}); err != io.ErrClosedPipe {
			t.Errorf("error %v", err)
		}
	}
	if broken.calls != 1 {
		t.Errorf("%d calls to a broken stream", broken.calls)
	}
}
