package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/git/wire"
)

// broken is a stream that ends in an error.
func broken(text string, err error) io.Reader {
	return io.MultiReader(strings.NewReader(text), readerFunc(func([]byte) (int, error) { return 0, err }))
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestRequestBreaks: a request that stops in the middle is not the server's
// fault; a client that was merely too slow is told so.
func TestRequestBreaks(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	pack := string(w.git("stock/small", "pack-objects", "-q", "--all", "--stdout"))
	slow := fmt.Errorf("read tcp 10.0.0.7: %w", os.ErrDeadlineExceeded)
	reset := errors.New("read tcp 10.0.0.7: connection reset by peer")
	const tooSlow = "the request did not go on for too long"
	command := packets(zero+" "+main+" refs/heads/new\x00report-status", "0000")
	for _, c := range []struct {
		push    bool
		request string
		err     error
		want    string
	}{
		{false, packets("command=fetch", "0001", "want "+main), slow, "ERR " + tooSlow + "\n"},
		{false, packets("command=fetch", "0001", "want "+main), reset, ""},
		{false, packets("command=fetch", "0001", "want "+main), io.EOF, ""},
		{false, "00", slow, "ERR " + tooSlow + "\n"},
		{true, "00", slow, "ERR " + tooSlow + "\n"},
		{true, "00", reset, ""},
		{true, command + pack[:30], slow, "unpack " + tooSlow + "\nng refs/heads/new unpacker error\n0000\n"},
		{true, command + pack[:30], reset, "unpack the pack ends early\nng refs/heads/new unpacker error\n0000\n"},
		{true, command + pack[:30], io.EOF, "unpack the pack ends early\nng refs/heads/new unpacker error\n0000\n"},
	} {
		snap := w.snapshot("small")
		var out bytes.Buffer
		var err error
		if in := broken(c.request, c.err); c.push {
			_, err = w.server.Receive(t.Context(), snap, in, &out, transfer.ReceiveOptions{Stateless: true})
		} else {
			err = w.server.Upload(t.Context(), snap, in, &out, transfer.UploadOptions{Version: 2, Stateless: true})
		}
		snap.Close()
		if got := text(out.Bytes()); got != c.want || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, transfer.Told) != (c.want != "") {
			t.Errorf("push %v of %d bytes, then %v: %v, answer %q, want %q", c.push, len(c.request), c.err, err, got, c.want)
		}
	}
}

// full is a store without room.
type full struct{ *memrepo.Files }

func (full) Draft(context.Context) (repo.Draft, error) {
	return nil, fmt.Errorf("open /srv/drafts/1: %w", repo.ErrFull)
}

func TestNoSpace(t *testing.T) {
	w := newWorld(t)
	main, _, _, _ := w.small()
	w.create("r")
	pack := string(w.git("stock/small", "pack-objects", "-q", "--all", "--stdout"))
	command := packets(zero+" "+main+" refs/heads/main\x00report-status", "0000")
	for _, c := range []struct {
		store *repo.Store
		want  string
	}{
		{repo.New(full{&memrepo.Files{}}, w.catalog, repo.Config{RowBytes: -1}),
			"unpack no space left on the server's disk\nng refs/heads/main unpacker error\n0000\n"},
		{repo.New(&memrepo.Files{}, &refusing{w.catalog, fmt.Errorf("write wal: %w", repo.ErrFull)}, repo.Config{}),
			"unpack ok\nng refs/heads/main failed to update ref: no space left on the server's disk\n0000\n"},
	} {
		w.server.Store = c.store
		out, _, err := w.tell("r", transfer.ReceiveOptions{}, command+pack)
		if text(out) != c.want || !errors.Is(err, repo.ErrFull) || !errors.Is(err, transfer.Told) {
			t.Errorf("%v\n%swant\n%s", err, text(out), c.want)
		}
	}
}

// bulky makes a repository whose pack takes many writes, and returns its tip and
// its pack.
func (w *world) bulky() (tip string, pack []byte) {
	w.t.Helper()
	w.git("stock/bulky", "init", "-q", "--bare", ".")
	noise := make([]byte, 2<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	w.feed("stock/bulky", fmt.Sprintf("commit refs/heads/main\ncommitter C <c@x> 1 +0000\ndata 0\nM 100644 inline noise\ndata %d\n%s\n", len(noise), noise),
		"fast-import", "--quiet")
	w.load("bulky", "stock/bulky")
	return strings.TrimSpace(string(w.git("stock/bulky", "rev-parse", "main"))), w.git("stock/bulky", "pack-objects", "-q", "--all", "--stdout")
}

// TestClientLeaves: whatever a client in a conversation does, the session ends with
// it or with the transport's patience, and leaves no goroutine behind: synctest
// fails where one is left. World's store fails where a snapshot holds a pack.
func TestClientLeaves(t *testing.T) {
	w := newWorld(t)
	tip, pack := w.bulky()
	// Less than half of the interval in which a waiting client is sent something:
	// synctest's clock stands still while that waits behind a Write that blocks.
	const patience = 2 * time.Second
	lsRefs := packets("command=ls-refs", "0001", "peel", "0000")
	fetch := packets("command=fetch", "0001", "want "+tip, "no-progress", "done", "0000")
	push := packets(zero+" "+tip+" refs/heads/new\x00report-status side-band-64k", "0000")
	half := push + string(pack[:len(pack)/2])
	for name, client := range map[string]struct {
		push  bool
		do    func(c peer) error // after it has heard the advertisement
		stays bool               // it does not hang up then
		ok    bool               // it is a conversation without fault
	}{
		"asks several times": {do: func(c peer) error {
			for range 3 {
				if err := errors.Join(c.say(lsRefs), c.hear("refs/heads/main"), c.hear(""), c.say(fetch), c.hear("PACK"), c.hear("")); err != nil {
					return err
				}
			}
			return c.say("0000")
		}, ok: true},
		"hangs up after the advertisement": {do: func(peer) error { return nil }, ok: true},
		"hangs up inside a request":        {do: func(c peer) error { return c.say(fetch[:30]) }},
		"hangs up inside a pack":           {do: func(c peer) error { return errors.Join(c.say(fetch), c.hear("PACK")) }},
		"stops reading":                    {do: func(c peer) error { return errors.Join(c.say(fetch), c.hear("PACK")) }, stays: true},
		"stops sending":                    {do: func(c peer) error { return c.say(fetch[:30]) }, stays: true},
		"pushes and hangs up":              {push: true, do: func(c peer) error { return c.say(half) }},
		"pushes and stops":                 {push: true, do: func(c peer) error { return c.say(half) }, stays: true},
		"pushes and does not listen":       {push: true, do: func(c peer) error { return c.say(push + string(pack)) }, stays: true},
		"pushes and leaves before the end": {push: true, do: func(c peer) error { return c.say(push + string(pack)) }},
		"pushes":                           {push: true, do: func(c peer) error { return errors.Join(c.say(push+string(pack)), c.hear("unpack ok"), c.hear("")) }, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			name := "bulky"
			if client.push {
				name = name + t.Name()
				w.create(name)
			}
			snap := w.snapshot(name)
			defer snap.Close()
			// What snapshots share is opened outside, where synctest lets the next one have it, too.
			_, graphErr := snap.Graph(t.Context())
			if _, _, err := snap.Bitmaps(t.Context()); err != nil || graphErr != nil {
				t.Fatal(err, graphErr)
			}
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				said := make(chan error, 1)
				go func() {
					c := peer{theirs, wire.NewReader(theirs)}
					err := c.hear("") // the advertisement
					if err == nil {
						err = client.do(c)
					}
					if !client.stays {
						theirs.Close()
					}
					said <- err
				}()
				stream := impatient{ours, patience}
				began := time.Now()
				var err error
				if client.push {
					_, err = w.server.Receive(t.Context(), snap, stream, stream, transfer.ReceiveOptions{})
				} else {
					err = w.server.Upload(t.Context(), snap, stream, stream, transfer.UploadOptions{Version: 2})
				}
				if took := time.Since(began); took > 2*patience || !client.stays && took > 0 {
					t.Errorf("the session took %v", took)
				}
				if (err == nil) != client.ok {
					t.Errorf("session: %v", err)
				}
				ours.Close()
				if err := <-said; err != nil {
					t.Errorf("client: %v", err)
				}
				theirs.Close()
			})
		})
	}
}

// peer is a client at the other end of a pipe.
type peer struct {
	conn net.Conn
	in   *wire.Reader
}

func (c peer) say(text string) error {
	_, err := io.WriteString(c.conn, text)
	return err
}

// hear reads up to a packet that has the given text, or, for none, to the next
// flush packet.
func (c peer) hear(text string) error {
	for {
		kind, data, err := c.in.Next()
		switch {
		case err != nil:
			return fmt.Errorf("did not hear %q: %w", text, err)
		case text == "" && kind == wire.Flush, text != "" && bytes.Contains(data, []byte(text)):
			return nil
		}
	}
}

// impatient gives each read and write of a connection so long.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c impatient) Read(p []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(c.patience))
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(c.patience))
	return c.Conn.Write(p)
}
