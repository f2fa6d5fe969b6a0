package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/repo/memrepo"
	"github.com/ingot-forge/ingot/git/transfer"
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
		{repo.New(full{&memrepo.Files{}}, w.catalog, repo.Config{}),
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
