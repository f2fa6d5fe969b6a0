package fsck_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
)

// object is what a test gives to stock git and to the Checker.
type object struct {
	kind git.Kind
	data []byte
}

// oracle is an empty repository of stock git.
type oracle struct {
	t   *testing.T
	dir string
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("no git to compare with: make setup installs it")
	}
	o := &oracle{t, t.TempDir()}
	if out, err := o.git(nil, "init", "-q", "--bare", "."); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	for _, known := range []object{{git.KindBlob, nil}, {git.KindTree, nil}, {git.KindCommit, []byte(goodCommit)}} {
		o.writeLoose(known)
	}
	return o
}

// git runs git and returns what it says on both outputs.
func (o *oracle) git(input []byte, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = o.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.dir, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1112912053 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1112912053 +0000"}
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// idOf is the id of an object.
func idOf(o object) git.ID {
	id, err := git.NewHasher(git.SHA1).Hash(o.kind, o.data)
	if err != nil {
		panic(err)
	}
	return id
}

// writeLoose stores an object without any check.
func (o *oracle) writeLoose(obj object) git.ID {
	o.t.Helper()
	id := idOf(obj)
	hex := git.SHA1.Hex(id)
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.NoCompression) // any other takes a megabyte and longer than git
	z.Write([]byte(obj.kind.String() + " "))
	z.Write([]byte(itoa(len(obj.data)) + "\x00"))
	z.Write(obj.data)
	z.Close()
	dir := filepath.Join(o.dir, "objects", hex[:2])
	if err := os.MkdirAll(dir, 0o777); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, hex[2:]), b.Bytes(), 0o666); err != nil {
		o.t.Fatal(err)
	}
	return id
}

// fsckLine is a finding as git fsck prints it.
var fsckLine = regexp.MustCompile(`^(error|warning) in \w+ ([0-9a-f]{40}): (\w+): `)

// findings runs git fsck --strict over all stored objects. It returns for each
// the message ids, "!" in front of those that refuse, and the objects that git
// could not parse, of which it says no message id.
func (o *oracle) findings() (found map[git.ID][]string, unparsed map[git.ID]bool) {
	o.t.Helper()
	out, _ := o.git(nil, "fsck", "--strict", "--no-dangling", "--no-progress")
	if strings.Contains(out, "fatal:") {
		o.t.Fatalf("git fsck died:\n%s", out)
	}
	found, unparsed = map[git.ID][]string{}, map[git.ID]bool{}
	for line := range strings.Lines(out) {
		if m := fsckLine.FindStringSubmatch(line); m != nil {
			id, _ := git.SHA1.Parse(m[2])
			msg := m[3]
			if m[1] == "error" {
				msg = "!" + msg
			}
			if !slices.Contains(found[id], msg) {
				found[id] = append(found[id], msg)
			}
		} else if hex, ok := strings.CutPrefix(line, "error: "); ok && strings.Contains(line, "could not be parsed") {
			if id, err := git.SHA1.Parse(hex[:40]); err == nil {
				unparsed[id] = true
			}
		}
	}
	return found, unparsed
}

// refuses gives a pack of objects to git index-pack --strict, as receive-pack
// does, and returns what it says if it refuses.
func (o *oracle) refuses(objects ...object) (string, bool) {
	o.t.Helper()
	out, err := o.git(packOf(objects...), "index-pack", "--strict", "--stdin")
	return out, err != nil
}

// packOf encodes a pack.
func packOf(objects ...object) []byte {
	var b bytes.Buffer
	b.WriteString("PACK")
	binary.Write(&b, binary.BigEndian, uint32(2))
	binary.Write(&b, binary.BigEndian, uint32(len(objects)))
	for _, o := range objects {
		size := len(o.data)
		c := byte(o.kind)<<4 | byte(size&15)
		for size >>= 4; size > 0; size >>= 7 {
			b.WriteByte(c | 0x80)
			c = byte(size & 0x7f)
		}
		b.WriteByte(c)
		z, _ := zlib.NewWriterLevel(&b, zlib.NoCompression)
		z.Write(o.data)
		z.Close()
	}
	sum := sha1.Sum(b.Bytes())
	return append(b.Bytes(), sum[:]...)
}

// check gives objects to a new Checker, in order, and then the special blobs
// among them, and returns all message ids by object, as findings does.
func check(t testing.TB, objects ...object) map[git.ID][]string {
	t.Helper()
	found := map[git.ID][]string{}
	add := func(p *fsck.Problem) {
		msg := p.Message
		if p.Severity.Refuses() {
			msg = "!" + msg
		}
		found[p.Object] = append(found[p.Object], msg)
	}
	c := fsck.New(git.SHA1, add)
	heard := func(err error) {
		var p *fsck.Problem
		if errors.As(err, &p) {
			add(p)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	store := git.Memory{}
	for _, o := range objects {
		id := idOf(o)
		heard(c.Object(id, o.kind, o.data))
		m := store[id]
		m.Kind, m.Data = o.kind, o.data
		store[id] = m
	}
	heard(c.Finish(context.Background(), store))
	return found
}

// refusal returns the first error of a new Checker that sees objects.
func refusal(t testing.TB, objects ...object) error {
	t.Helper()
	c := fsck.New(git.SHA1, nil)
	store := git.Memory{}
	for _, o := range objects {
		id := idOf(o)
		if err := c.Object(id, o.kind, o.data); err != nil {
			return err
		}
		m := store[id]
		m.Kind, m.Data = o.kind, o.data
		store[id] = m
	}
	// The empty blob is in every oracle.
	store[idOf(object{git.KindBlob, nil})] = struct {
		Kind git.Kind
		Data []byte
	}{Kind: git.KindBlob}
	return c.Finish(context.Background(), store)
}

func parse(text string, emit func(name, value string)) error {
	return fsck.ParseConfig([]byte(text), emit)
}

func refusing(messages []string) bool {
	return slices.ContainsFunc(messages, func(m string) bool { return m[0] == '!' })
}
