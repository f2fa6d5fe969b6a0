package hosting

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
)

// bare is a bare git repository as stock git lays it out in files, opened for
// reading. Nothing in it is trusted: what is read goes through the engine's
// checks like a push.
type bare struct {
	files  fs.FS
	format git.Format
	head   string // the ref HEAD points to; "" when it is detached
	refs   map[string]git.ID
	packs  []*barePack
}

// Bounds of what a bare repository may have.
const (
	maxImportRefs  = 1 << 20
	maxRefLine     = 4 << 10
	maxConfigBytes = 1 << 20
	maxIndexBytes  = 4 << 30
	maxLooseBytes  = 1 << 30
)

// openBare reads config, refs and indexes. files is the repository itself, or
// a directory with it in ".git".
func openBare(files fs.FS) (*bare, error) {
	if info, err := fs.Stat(files, ".git"); err == nil && info.IsDir() {
		if files, err = fs.Sub(files, ".git"); err != nil {
			return nil, err
		}
	}
	if info, err := fs.Stat(files, "objects"); err != nil || !info.IsDir() {
		return nil, forge.Invalidf("", "", "%s", "not a git repository: it has no directory objects")
	}
	for name, why := range map[string]string{
		"objects/info/alternates": "it borrows objects from another repository; run git repack -a -d and remove objects/info/alternates first",
		"shallow":                 "it is a shallow clone, which lacks part of its history",
		"reftable":                "its refs are in a reftable; run git refs migrate --ref-format=files first",
	} {
		if _, err := fs.Stat(files, name); err == nil {
			return nil, forge.Invalidf("", "", "%s", "cannot import: "+why)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	b := &bare{files: files, refs: map[string]git.ID{}}
	for _, step := range []func() error{b.readConfig, b.readHead, b.readPackedRefs, b.readLooseRefs, b.readPacks} {
		if err := step(); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

// readConfig looks for the one setting that changes how everything else reads.
func (b *bare) readConfig() error {
	data, err := b.readFile("config", maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(line, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "objectformat") {
			continue
		}
		if b.format, err = git.ParseFormat(strings.Trim(strings.TrimSpace(value), `"`)); err != nil {
			return fmt.Errorf("config: %w", err)
		}
	}
	return nil
}

func (b *bare) readHead() error {
	data, err := b.readFile("HEAD", maxRefLine)
	if err != nil {
		return err
	}
	if target, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "ref:"); ok {
		b.head = strings.TrimSpace(target)
		return git.CheckRefName(b.head)
	}
	return nil
}

func (b *bare) readPackedRefs() error {
	file, err := b.files.Open("packed-refs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxRefLine)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' || line[0] == '^' {
			continue
		}
		hex, name, _ := strings.Cut(line, " ")
		id, err := b.format.Parse(hex)
		if err == nil {
			err = b.addRef(name, id)
		}
		if err != nil {
			return fmt.Errorf("packed-refs line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// readLooseRefs comes after packed-refs, over which loose refs win.
func (b *bare) readLooseRefs() error {
	err := fs.WalkDir(b.files, "refs", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".lock") {
			return err
		}
		data, err := b.readFile(name, maxRefLine)
		if err != nil {
			return err
		}
		text := strings.TrimSpace(string(data))
		if strings.HasPrefix(text, "ref:") {
			return nil // such as refs/remotes/origin/HEAD: nothing of its own
		}
		id, err := b.format.Parse(text)
		if err != nil {
			return fmt.Errorf("%s does not hold an object id", name)
		}
		return b.addRef(name, id)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// private are the refs of one person's working copy, which mean nothing here.
var private = []string{"refs/remotes/", "refs/bisect/", "refs/worktree/", "refs/rewritten/"}

func (b *bare) addRef(name string, id git.ID) error {
	if name == "refs/stash" || slices.ContainsFunc(private, func(p string) bool { return strings.HasPrefix(name, p) }) {
		return nil
	}
	if err := git.CheckRefName(name); err != nil {
		return err
	}
	if len(b.refs) >= maxImportRefs {
		return fmt.Errorf("more than %d refs", maxImportRefs)
	}
	b.refs[name] = id
	return nil
}

// readFile reads a file of at most limit bytes.
func (b *bare) readFile(name string, limit int64) ([]byte, error) {
	file, err := b.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return data, err
}

func (b *bare) close() {
	for _, p := range b.packs {
		p.source.file.Close()
	}
}
