package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/git/wire"
)

const zero = "0000000000000000000000000000000000000000"

// report decodes the answer to a push with a sideband: the packets of band 1,
// and what the other bands say.
func report(out []byte) (report, progress string) {
	var data []byte
	r := wire.NewReader(bytes.NewReader(out))
	for {
		kind, packet, err := r.Next()
		switch {
		case err != nil || kind != wire.Data:
			return text(data), progress
		case packet[0] == wire.BandData:
			data = append(data, packet[1:]...)
		default:
			progress += string(packet[1:])
		}
	}
}

func TestPushProbe(t *testing.T) {
	w := newWorld(t)
	w.small()
	for _, request := range []string{"0000", ""} {
		out, rep, err := w.tell("small", transfer.ReceiveOptions{}, request)
		if len(out) > 0 || err != nil || rep == nil || len(rep.Moved) > 0 {
			t.Errorf("%q is answered %q, %v", request, out, err)
		}
	}
}

// TestPushCommands sends commands that need no pack, or whose pack is empty.
func TestPushCommands(t *testing.T) {
	w := newWorld(t)
	main, tree, hidden, _ := w.small()
	tag := strings.TrimSpace(string(w.git("stock/small", "rev-parse", "v1")))
	none := strings.Repeat("7", 40)
	refs := w.refs("small")
	empty := "PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"
	names := []string{"HEAD", "main", "refs/../x", "refs/heads/a..b", "refs/heads/x.lock", "refs/heads/ x", "refs/heads/x~1", "refs/heads/\xff",
		"refs/heads/" + strings.Repeat("x", 2000), "refs" + strings.Repeat("/x", 100), "refs/heads/@{1}", "config", "/etc/passwd"}
	type push struct{ before, after, name, want string }
	cases := []push{
		{tag, zero, "refs/heads/main", "ng refs/heads/main deletion of the current branch prohibited\n"},
		{hidden, zero, "refs/tags/v1", "ng refs/tags/v1 failed to update ref: it has moved meanwhile; fetch first\n"},
		{none, zero, "refs/tags/v1", "ng refs/tags/v1 failed to update ref: it has moved meanwhile; fetch first\n"},
		{zero, zero, "refs/tags/v1", "ng refs/tags/v1 failed to update ref: it has moved meanwhile; fetch first\n"},
		{main, zero, "refs/heads/gone", "ng refs/heads/gone reference does not exist any more; fetch first\n"},
		{none, zero, "refs/heads/gone", "ok refs/heads/gone\n"},
		{zero, zero, "refs/heads/gone", "ok refs/heads/gone\n"},
		{zero, main, "refs/heads/main", "ng refs/heads/main reference already exists; fetch first\n"},
		{hidden, main, "refs/heads/main", "ng refs/heads/main failed to update ref: it has moved meanwhile; fetch first\n"},
		{main, hidden, "refs/heads/new", "ng refs/heads/new reference does not exist any more; fetch first\n"},
		{zero, none, "refs/heads/new", "ng refs/heads/new missing necessary objects\n"},
		{zero, tree, "refs/heads/new", "ng refs/heads/new trying to write a non-commit object to a branch\n"},
		{zero, tag, "refs/heads/new", "ng refs/heads/new trying to write a non-commit object to a branch\n"},
		{hidden, main, "refs/hidden/x", "ng refs/hidden/x deny updating a hidden ref\n"},
		{hidden, zero, "refs/hidden/x", "ng refs/hidden/x deny deleting a hidden ref\n"},
		{zero, main, "refs/heads/main/below", "ng refs/heads/main/below refname conflict: refs/heads/main exists\n"},
		{main, main, "refs/heads/main", "ok refs/heads/main\n"},
	}
	for _, name := range names {
		cases = append(cases, push{zero, main, name, "ng " + name + " funny refname\n"}, push{main, zero, name, "ng " + name + " funny refname\n"})
	}
	for _, c := range cases {
		for _, atomic := range []string{"", " atomic"} {
			request := packets(c.before+" "+c.after+" "+c.name+"\x00 report-status side-band-64k"+atomic, "0000")
			if c.after != zero {
				request += empty
			}
			out, _, err := w.tell("small", transfer.ReceiveOptions{HideRefs: hide}, request)
			if got, _ := report(out); err != nil || !strings.Contains(got, "unpack ok\n") || !strings.Contains(got, c.want) {
				t.Errorf("%.60q%s: %v\n%q\nwant %q", c, atomic, err, out, c.want)
			}
		}
	}
	if now := w.refs("small"); now != refs {
		t.Errorf("refs were\n%sand are\n%s", refs, now)
	}
	// Two commands for one ref: neither.
	out, _, err := w.tell("small", transfer.ReceiveOptions{}, packets(zero+" "+main+" refs/heads/a\x00report-status", zero+" "+hidden+" refs/heads/a", "0000")+empty)
	if want := "unpack ok\n" + strings.Repeat("ng refs/heads/a multiple updates of one ref in a push are not allowed\n", 2) + "0000\n"; text(out) != want || err != nil {
		t.Errorf("twice the same ref: %v\n%s", err, text(out))
	}
}

func TestPushProtocolErrors(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	w.server.Limits = transfer.Limits{Commands: 2, PushOptions: 1}
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"ERR protocol error: expected old/new/ref, got \"hello\"\n", []string{"hello", "0000"}},
		{"ERR too many ref updates in one push: at most 2 are taken\n", []string{zero + " " + main + " refs/a/a", zero + " " + main + " refs/a/b", zero + " " + main + " refs/a/c", "0000"}},
		{"\x03too many push options: at most 1 are taken\n0000\n",
			[]string{zero + " " + main + " refs/a/a\x00side-band-64k push-options", "0000", "a", "b", "0000"}},
		{"\x03unsupported object format \"sha256\": this repository has sha1\n0000\n", []string{zero + " " + main + " refs/a/a\x00side-band-64k object-format=sha256", "0000"}},
	} {
		out, _, err := w.tell("small", transfer.ReceiveOptions{}, packets(c.lines...))
		if text(out) != c.want || !errors.Is(err, transfer.Told) {
			t.Errorf("%q: %v, %q; want %q", c.lines, err, text(out), c.want)
		}
	}
}

// TestBrokenPacks: whatever is wrong with a pack, the client gets a report that
// says so, and nothing is kept.
func TestBrokenPacks(t *testing.T) {
	w := newWorld(t)
	w.history()
	w.create("r")
	good := string(w.git("stock/old", "pack-objects", "-q", "--all", "--stdout"))
	tip := strings.TrimSpace(string(w.git("stock/old", "rev-parse", "main")))
	flip := func(at int) string { return good[:at] + string(good[at]^0x40) + good[at+1:] }
	command := packets(zero+" "+tip+" refs/heads/main\x00report-status side-band-64k", "0000")
	for name, c := range map[string]struct{ pack, want string }{
		"cut off":       {good[:len(good)/2], "unpack the pack ends early\n"},
		"no pack":       {"", "unpack the pack ends early\n"},
		"no trailer":    {good[:len(good)-20], "unpack the pack ends early\n"},
		"bad trailer":   {flip(len(good) - 3), "unpack corrupt data"},
		"flipped bit":   {flip(len(good) / 2), "unpack "},
		"not a pack":    {"PUCK" + good[4:], "unpack corrupt data"},
		"wrong version": {flip(7), "unpack corrupt data"},
	} {
		out, rep, err := w.tell("r", transfer.ReceiveOptions{}, command+c.pack)
		got, progress := report(out)
		if !strings.HasPrefix(got, c.want) || strings.HasPrefix(got, "unpack ok") || !strings.HasSuffix(got, "ng refs/heads/main unpacker error\n0000\n") {
			t.Errorf("%s: report %q (%q); want %q", name, got, progress, c.want)
		}
		if !errors.Is(err, transfer.Told) || rep.Version != 0 || rep.Refused["refs/heads/main"] != "unpacker error" {
			t.Errorf("%s: %v, %+v", name, err, rep)
		}
	}
	if packs(w, "r") != 0 {
		t.Error("something was kept")
	}
	out, rep, err := w.tell("r", transfer.ReceiveOptions{}, command+good)
	if got, _ := report(out); got != "unpack ok\nok refs/heads/main\n0000\n" || err != nil || rep.Version == 0 {
		t.Errorf("the good pack: %v\n%q", err, got)
	}
}

// TestBrokenPackOverPipe: a client that goes on sending after the server has
// given up gets the report, and the server ends when the client hangs up.
func TestBrokenPackOverPipe(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	snap := w.snapshot("r")
	defer snap.Close()
	client, server := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := w.server.Receive(context.Background(), snap, server, server, transfer.ReceiveOptions{})
		server.Close()
		ended <- err
	}()
	heard := make(chan []byte, 1)
	go func() {
		var all []byte
		buf := make([]byte, 4096)
		for !bytes.Contains(all, []byte("unpacker error")) {
			n, err := client.Read(buf)
			all = append(all, buf[:n]...)
			if err != nil {
				break
			}
		}
		heard <- all
	}()
	io.WriteString(client, packets(zero+" "+strings.Repeat("1", 40)+" refs/heads/main\x00report-status", "0000"))
	for range 1000 {
		if _, err := client.Write(bytes.Repeat([]byte("not a pack"), 100)); err != nil {
			t.Fatalf("the server hung up on a client that sends: %v", err)
		}
	}
	if all := <-heard; !bytes.Contains(all, []byte("unpack corrupt data")) {
		t.Errorf("heard %q", all)
	}
	client.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, transfer.Told) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not notice that the client has hung up")
	}
}

// racing is a catalogue in which others move refs just before a commit.
type racing struct {
	*memrepo.Catalog
	before func()
}

func (c *racing) Commit(ctx context.Context, ch *repo.Change) (int64, error) {
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
	return c.Catalog.Commit(ctx, ch)
}

func TestRacingPushes(t *testing.T) {
	w := newWorld(t)
	catalog := &racing{Catalog: w.catalog}
	w.store = repo.New(&memrepo.Files{}, catalog, repo.Config{})
	w.server.Store = w.store
	main, _, hidden, _ := w.small()
	empty := string(w.git("stock/small", "pack-objects", "-q", "--stdout"))
	id := w.ids["small"]
	for _, atomic := range []string{"", " atomic"} {
		branch := strings.TrimSpace("refs/heads/b" + atomic)
		branch = strings.ReplaceAll(branch, " ", "-")
		catalog.before = func() {
			_, err := w.catalog.Commit(t.Context(), &repo.Change{Repository: id, Refs: []repo.RefUpdate{{Name: branch, New: w.id(hidden)}}})
			if err != nil {
				t.Error(err)
			}
		}
		out, rep, err := w.tell("small", transfer.ReceiveOptions{},
			packets(zero+" "+main+" "+branch+"\x00report-status"+atomic, zero+" "+main+" "+branch+"2", "0000")+empty)
		want := "unpack ok\nng " + branch + " failed to update ref: it has moved meanwhile; fetch first\nok " + branch + "2\n0000\n"
		if atomic != "" {
			want = strings.Replace(want, "ok "+branch+"2", "ng "+branch+"2 atomic push failure", 1)
		}
		if text(out) != want || err != nil {
			t.Errorf("%q: %v\n%swant\n%s", atomic, err, text(out), want)
		}
		if moved := atomic == ""; strings.Contains(w.refs("small"), branch+"2\n") != moved || (len(rep.Moved) == 1) != moved {
			t.Errorf("%q: moved %v, refs\n%s", atomic, rep.Moved, w.refs("small"))
		}
	}
	// HEAD that somebody else points elsewhere does not stop the first push.
	w.create("first")
	catalog.before = func() {
		_, err := w.catalog.Commit(t.Context(), &repo.Change{Repository: w.ids["first"], Head: &repo.HeadUpdate{Old: "refs/heads/main", New: "refs/heads/theirs"}})
		if err != nil {
			t.Error(err)
		}
	}
	pack := string(w.git("stock/small", "pack-objects", "-q", "--all", "--stdout"))
	out, _, err := w.tell("first", transfer.ReceiveOptions{}, packets(zero+" "+main+" refs/heads/mine\x00report-status", "0000")+pack)
	if text(out) != "unpack ok\nok refs/heads/mine\n0000\n" || err != nil || w.head("first") != "refs/heads/theirs" {
		t.Errorf("%v, HEAD %s\n%s", err, w.head("first"), text(out))
	}
}

func TestCommitFails(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	empty := string(w.git("stock/small", "pack-objects", "-q", "--stdout"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dial 10.0.0.7: %w", repo.ErrUnknown), "ng refs/heads/b the server lost sight of whether the ref was updated; fetch to see\n"},
		{errors.New("dial 10.0.0.7"), "ng refs/heads/b failed to update ref: internal error on the server\n"},
	} {
		w.server.Store = repo.New(&memrepo.Files{}, &refusing{w.catalog, c.err}, repo.Config{})
		snap := w.snapshot("small")
		var out bytes.Buffer
		_, err := w.server.Receive(t.Context(), snap, strings.NewReader(packets(zero+" "+zero[:39]+"1 refs/x/y\x00report-status", "0000")+empty), &out, transfer.ReceiveOptions{Stateless: true})
		snap.Close()
		if err != nil {
			t.Errorf("a missing target is the client's fault: %v", err)
		}
		snap = w.snapshot("small")
		out.Reset()
		_, err = w.server.Receive(t.Context(), snap, strings.NewReader(packets(zero+" "+main+" refs/heads/b\x00report-status", "0000")+empty), &out, transfer.ReceiveOptions{Stateless: true})
		snap.Close()
		if text(out.Bytes()) != "unpack ok\n"+c.want+"0000\n" || !errors.Is(err, c.err) || !errors.Is(err, transfer.Told) {
			t.Errorf("%v: %v\n%s", c.err, err, text(out.Bytes()))
		}
	}
}

// refusing is a catalogue that fails every commit.
type refusing struct {
	*memrepo.Catalog
	err error
}

func (c *refusing) Commit(context.Context, *repo.Change) (int64, error) { return 0, c.err }

// TestSignedPush sends certificates; the signature is nobody's business here.
func TestSignedPush(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	empty := string(w.git("stock/small", "pack-objects", "-q", "--stdout"))
	synctest.Test(t, func(t *testing.T) {
		var asked *transfer.Push
		o := transfer.ReceiveOptions{Stateless: true, Accept: func(_ context.Context, p *transfer.Push) ([]string, func([]repo.RefUpdate) *repo.Event, error) {
			asked = p
			refuse := make([]string, len(p.Commands))
			for i := range refuse {
				refuse[i] = "only looking"
			}
			return refuse, nil, nil
		}}
		nonce := func() string {
			snap := w.snapshot("small")
			defer snap.Close()
			var out bytes.Buffer
			if err := w.server.AdvertiseReceive(t.Context(), snap, &out, o); err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(text(out.Bytes()), "push-cert=")
			return strings.Fields(rest + " ")[0]
		}
		push := func(nonce, option string) string {
			lines := []string{"push-cert\x00report-status push-options", "certificate version 0.1\n", "pusher A <a@x> 1 +0000\n", "nonce " + nonce + "\n",
				"push-option x\n", "\n", zero + " " + main + " refs/heads/signed\n", "-----BEGIN PGP SIGNATURE-----\n", "junk\n", "push-cert-end\n", "0000", option, "0000"}
			asked = nil
			snap := w.snapshot("small")
			defer snap.Close()
			var out bytes.Buffer
			if _, err := w.server.Receive(t.Context(), snap, strings.NewReader(packets(lines...)+empty), &out, o); err != nil {
				t.Fatal(err)
			}
			return text(out.Bytes())
		}
		w.server.NonceSeed = []byte("secret")
		given := nonce()
		for _, c := range []struct {
			nonce  string
			wait   time.Duration
			status transfer.NonceStatus
		}{{given, 0, transfer.NonceOK}, {given, 90 * time.Second, transfer.NonceSlop}, {given[:len(given)-1] + "x", 0, transfer.NonceBad}, {"-5-", 0, transfer.NonceBad}} {
			time.Sleep(c.wait)
			push(c.nonce, "x")
			if asked == nil || asked.NonceStatus != c.status || asked.NonceSlop != c.wait || !bytes.HasPrefix(asked.Certificate, []byte("certificate version 0.1\n")) {
				t.Errorf("nonce %q: asked %+v, want status %s", c.nonce, asked, c.status)
			}
		}
		if got := push(given, "other"); !strings.Contains(got, "ng refs/heads/signed inconsistent push options\n") || asked != nil {
			t.Errorf("other options than certified: %q", got)
		}
		w.server.NonceSeed = nil
		push(given, "x")
		if asked == nil || asked.NonceStatus != transfer.NonceUnsolicited {
			t.Errorf("without a seed: %+v", asked)
		}
	})
}

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]transfer.Version{"": 0, "version=0": 0, "version=1": 1, "version=2": 2, "version=3": 0, "x:version=2:y=z": 2,
		"version=1:version=2": 2, "version=22": 0} {
		if got := transfer.ParseVersion(s); got != want {
			t.Errorf("ParseVersion(%q) = %d, want %d", s, got, want)
		}
	}
}
