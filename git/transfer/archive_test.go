package transfer_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git/transfer"
)

func TestArchiveLikeStock(t *testing.T) {
	w := newWorld(t)
	w.history()
	for _, args := range []string{"HEAD", "v55", "outer", "refs/heads/main always", "--prefix=x/ main dir0 dir1/sub/", "main:dir0", "--format=tar side",
		"--list", "main:dir1/sub *1"} {
		want := w.git("a", append([]string{"archive", "--remote", w.url("file", "new")}, strings.Fields(args)...)...)
		got := w.git("a", append([]string{"archive", "--remote", w.url("ssh", "new")}, strings.Fields(args)...)...)
		if strings.Contains(args, ":") {
			// Of a bare tree the members have the time of the call.
			got, want = blank(got), blank(want)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("archive %s: %d bytes differ from the %d of stock git", args, len(got), len(want))
		}
	}
	for _, format := range []string{"tgz", "tar.gz", "zip"} {
		out := w.git("a", "archive", "--remote", w.url("ssh", "new"), "-9", "--format", format, "main")
		if magic := map[bool]string{true: "PK\x03\x04", false: "\x1f\x8b"}[format == "zip"]; !strings.HasPrefix(string(out), magic) {
			t.Errorf("%s starts with %q", format, out[:4])
		}
	}
	_, stderr, err := w.try("a", "archive", "--remote", w.url("ssh", "new"), "-v", "-o", "x.tar", "main", "always")
	if err != nil || !strings.Contains(stderr, "always") {
		t.Errorf("verbose: %v, %s", err, stderr)
	}
	for args, want := range map[string]string{
		w.commit:            "no such ref: " + w.commit,
		"nope":              "no such ref: nope",
		"main:nope":         `path "nope" does not exist`,
		"main:always":       "not a tree object: main:always",
		"main nope":         `pathspec "nope" did not match any files`,
		"main :(top)x":      "has magic",
		"--format=rar main": `unknown archive format "rar"`,
		"--frotz main":      `unknown option "--frotz"`,
	} {
		out, stderr, err := w.try("a", append([]string{"archive", "--remote", w.url("ssh", "new")}, strings.Fields(args)...)...)
		if err == nil || !strings.Contains(stderr, want) || out != "" {
			t.Errorf("archive %s: %v, %q; want %q", args, err, stderr, want)
		}
	}
	w.change(func() { w.server = &transfer.Server{Store: w.store, Limits: transfer.Limits{ArchiveEntries: 3}} })
	if _, stderr, err := w.try("a", "archive", "--remote", w.url("ssh", "new"), "main"); err == nil || !strings.Contains(stderr, "too large: more than 3 entries") {
		t.Errorf("past a limit: %v, %s", err, stderr)
	}
}

// blank blanks times and checksums of a tar's headers.
func blank(tar []byte) []byte {
	for at := 0; at+512 <= len(tar); at += 512 {
		if string(tar[at+257:at+262]) == "ustar" {
			copy(tar[at+136:at+156], "                    ")
		}
	}
	return tar
}

func TestArchiveArguments(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	snap := w.snapshot("r")
	defer snap.Close()
	for request, want := range map[string]string{
		packets("hello", "0000"):                      "NACK 'argument' token or flush expected\n",
		strings.Repeat(packets("argument x"), 65):     "NACK too many options (>64)\n",
		packets("argument -0"):                        "",
		packets("argument --prefix", "0000"):          "ACK\n0000\n\x03git archive: option \"--prefix\" requires a value\n0000\n",
		packets("argument --", "argument -x", "0000"): "ACK\n0000\n\x03git archive: no such ref: -x\n0000\n",
		packets("0000"):                               "ACK\n0000\n\x03git archive: a tree-ish is needed\n0000\n",
	} {
		var out bytes.Buffer
		err := w.server.Archive(t.Context(), snap, strings.NewReader(request), &out)
		if text(out.Bytes()) != want || errors.Is(err, transfer.Told) != (want != "") {
			t.Errorf("%.40q: %v, %q; want %q", request, err, text(out.Bytes()), want)
		}
	}
}
