// Package treepath finds what trees have at one path, and whether two trees differ there. It
// reads only the trees on the way, remembers what it found, and stops where two trees have
// the same directory.
package treepath

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// MaxPath bounds the length of a path in bytes.
const MaxPath = 4096

// ErrPath is matched by the error for a path that no tree can have.
var ErrPath = errors.New("not a path of files")

// Entry is what is at a path. The zero Entry is nothing.
type Entry struct {
	ID   git.ID
	Mode git.Mode // one of the modes that git writes, whatever is stored
}

// Exists reports whether there is anything.
func (e Entry) Exists() bool { return e.Mode != 0 }

// IsTree reports whether it is a directory.
func (e Entry) IsTree() bool { return e.Mode == git.ModeTree }

// Finder finds one path. It serves one goroutine.
type Finder struct {
	objects   git.Objects
	format    git.Format
	path      string
	parts     []string
	directory bool // only directories (and submodules) are found
	known     []map[git.ID]Entry
}

// maxKnown bounds what is remembered for each part of the path; about a hundred bytes each.
const maxKnown = 1 << 12

// New returns the finder of a path from the root, taken literally: "" is the root itself,
// and a path that ends in a slash is found only where it is a directory. A path that cannot be is ErrPath.
func New(objects git.Objects, f git.Format, path string) (*Finder, error) {
	if len(path) > MaxPath {
		return nil, fmt.Errorf("path of %d bytes: %w", len(path), ErrPath)
	}
	t := &Finder{objects: objects, format: f}
	t.path, t.directory = strings.CutSuffix(path, "/")
	if t.path != "" || t.directory {
		t.parts = strings.Split(t.path, "/")
	}
	for _, part := range t.parts {
		if part == "" || strings.IndexByte(part, 0) >= 0 {
			return nil, fmt.Errorf("path %q: %w", path, ErrPath)
		}
	}
	t.known = make([]map[git.ID]Entry, len(t.parts))
	for i := range t.known {
		t.known[i] = map[git.ID]Entry{}
	}
	return t, nil
}

// Path is the path, without a slash at its end.
func (t *Finder) Path() string { return t.path }

// Differ reports whether two root trees differ at the path. A zero id is the empty tree.
// Directories differ if their ids do.
func (t *Finder) Differ(ctx context.Context, a, b git.ID) (bool, error) {
	for level := range t.parts {
		if a == b {
			return false, nil
		}
		old, err := t.entry(ctx, level, a)
		if err != nil {
			return false, err
		}
		new, err := t.entry(ctx, level, b)
		if err != nil {
			return false, err
		}
		if level == len(t.parts)-1 {
			return old != new, nil
		}
		a, b = below(old), below(new)
	}
	return a != b, nil
}

// below returns the tree of an entry; what is no directory has nothing below.
func below(e Entry) git.ID {
	if !e.IsTree() {
		return git.ID{}
	}
	return e.ID
}

// Find returns what a root tree has at the path. A zero id is the empty tree.
func (t *Finder) Find(ctx context.Context, tree git.ID) (Entry, error) {
	e := Entry{tree, git.ModeTree}
	for level := range t.parts {
		if !e.IsTree() {
			return Entry{}, nil
		}
		var err error
		if e, err = t.entry(ctx, level, e.ID); err != nil {
			return Entry{}, err
		}
	}
	return e, nil
}

// entry returns what a tree has for one part of the path.
func (t *Finder) entry(ctx context.Context, level int, tree git.ID) (Entry, error) {
	if tree.IsZero() {
		return Entry{}, nil
	}
	known := t.known[level]
	if e, ok := known[tree]; ok {
		return e, nil
	}
	data, err := Read(ctx, t.objects, tree)
	if err != nil {
		return Entry{}, err
	}
	e, err := search(t.format, data, t.parts[level])
	if err != nil {
		return Entry{}, fmt.Errorf("tree %s: %w", tree, err)
	}
	if t.directory && level == len(t.parts)-1 && !e.IsTree() && e.Mode != git.ModeSubmodule {
		e = Entry{}
	}
	if len(known) >= maxKnown {
		clear(known)
	}
	known[tree] = e
	return e, nil
}

// Read returns the content of a tree; another kind of object is git.ErrCorrupt.
func Read(ctx context.Context, objects git.Objects, id git.ID) ([]byte, error) {
	kind, data, err := objects.Object(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	if kind != git.KindTree {
		return nil, fmt.Errorf("%w: %s is a %s, not a tree", git.ErrCorrupt, id, kind)
	}
	return data, nil
}

// search returns the entry of a name.
func search(f git.Format, data []byte, name string) (Entry, error) {
	for len(data) > 0 {
		mode, start, end := git.EntrySpan(f, data)
		if start == 0 {
			_, _, _, _, err := git.NextEntry(f, data)
			return Entry{}, err
		}
		if string(data[start:end]) == name {
			return Entry{f.FromBytes(data[end+1:]), Mode(mode)}, nil
		}
		data = data[end+1+f.Size():]
	}
	return Entry{}, nil
}

// Mode returns the mode as which git takes a stored one.
func Mode(m git.Mode) git.Mode {
	switch {
	case m.IsTree():
		return git.ModeTree
	case m&0o170000 == git.ModeSymlink:
		return git.ModeSymlink
	case m&0o170000 != 0o100000:
		return git.ModeSubmodule
	case m&0o100 != 0:
		return git.ModeExecutable
	}
	return git.ModeBlob
}
