package diff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// The limits of a comparison of trees, where TreeOptions sets no others.
const (
	DefaultTrees     = 4 << 20 // a tree may hold itself again and again under other names
	DefaultPathBytes = 4096
)

// TreeOptions say what of two trees to compare. The zero value compares all.
type TreeOptions struct {
	// Paths, unless empty, are the files and directories to look at, from the
	// root, literally. One that ends in a slash is a directory only.
	Paths []string
	// Unchanged asks for the files that are the same, too. Renames with Copies
	// looks among them for originals, as git's --find-copies-harder does.
	Unchanged bool
	MaxTrees  int // trees to read; 0 means DefaultTrees
	MaxPath   int // bytes of a path; 0 means DefaultPathBytes
}

// Trees compares two trees and yields what differs, in git's order: by path. A
// zero id is the empty tree; subtrees that are the same are not read. The path
// of a file that became a directory is Deleted and those in it are Added. After
// an error, which is yielded with a zero Change, nothing more comes: it is a
// *LimitError, git.ErrCorrupt where an object is no tree, or what objects and
// ctx report.
func Trees(ctx context.Context, objects git.Objects, f git.Format, old, new git.ID, o TreeOptions) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		w := treeWalk{ctx: ctx, objects: objects, format: f, options: o, yield: yield}
		if w.options.MaxTrees <= 0 {
			w.options.MaxTrees = DefaultTrees
		}
		if w.options.MaxPath <= 0 {
			w.options.MaxPath = DefaultPathBytes
		}
		if old == new && !o.Unchanged {
			return
		}
		if err := w.run(old, new); err != nil && err != errStopped {
			yield(Change{}, err)
		}
	}
}

// errStopped ends a walk whose caller wants no more.
var errStopped = errors.New("stopped")

type treeWalk struct {
	ctx     context.Context
	objects git.Objects
	format  git.Format
	options TreeOptions
	yield   func(Change, error) bool

	path  []byte // of the directory being walked, with a slash behind
	trees int    // read so far
	stack []treePair
}

// treePair is a directory that is being walked: what is left of its two trees.
type treePair struct {
	old, new []byte
	path     int  // length of the path of the directory
	all      bool // everything below is wanted
}

// treeEntry is the first entry of an encoded tree.
type treeEntry struct {
	mode git.Mode
	name []byte
	id   git.ID
}

func (w *treeWalk) run(old, new git.ID) error {
	if err := w.enter(old, new, len(w.options.Paths) == 0); err != nil {
		return err
	}
	for len(w.stack) > 0 {
		if err := w.step(&w.stack[len(w.stack)-1]); err != nil {
			return err
		}
	}
	return nil
}

// enter pushes the directory whose path is w.path.
func (w *treeWalk) enter(old, new git.ID, all bool) error {
	pair := treePair{path: len(w.path), all: all}
	var err error
	if pair.old, err = w.read(old); err != nil {
		return err
	}
	if pair.new, err = w.read(new); err != nil {
		return err
	}
	w.stack = append(w.stack, pair)
	return nil
}

func (w *treeWalk) read(id git.ID) ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	if w.trees++; w.trees > w.options.MaxTrees {
		return nil, &LimitError{"trees", int64(w.options.MaxTrees)}
	}
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	kind, data, err := w.objects.Object(w.ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading directory %q: %w", w.path, err)
	}
	if kind != git.KindTree {
		return nil, fmt.Errorf("%w: directory %q is the %s %s", git.ErrCorrupt, w.path, kind, id)
	}
	return data, nil
}

// step takes the next entry, or the two of one name, of the directory on top.
func (w *treeWalk) step(top *treePair) error {
	w.path = w.path[:top.path]
	if !w.options.Unchanged {
		w.skipSame(top)
	}
	switch {
	case len(top.old) == 0 && len(top.new) == 0:
		w.stack = w.stack[:len(w.stack)-1]
		return nil
	case len(top.old) == 0:
		e, err := w.next(&top.new)
		if err != nil {
			return err
		}
		return w.visit(treeEntry{}, e, top.all)
	case len(top.new) == 0:
		e, err := w.next(&top.old)
		if err != nil {
			return err
		}
		return w.visit(e, treeEntry{}, top.all)
	}
	oldRest, newRest := top.old, top.new
	a, err := w.next(&oldRest)
	if err != nil {
		return err
	}
	b, err := w.next(&newRest)
	if err != nil {
		return err
	}
	switch cmp := compareNames(a, b); {
	case cmp < 0:
		top.old, b = oldRest, treeEntry{}
	case cmp > 0:
		top.new, a = newRest, treeEntry{}
	default:
		top.old, top.new = oldRest, newRest
		if a.id == b.id && a.mode == b.mode && !w.options.Unchanged {
			return nil
		}
	}
	return w.visit(a, b, top.all)
}

// skipSame passes over entries that are the same on both sides. Nearly all are.
func (w *treeWalk) skipSame(top *treePair) {
	for {
		_, start, end := git.EntrySpan(w.format, top.old)
		if start == 0 {
			return
		}
		n := end + 1 + w.format.Size()
		if len(top.new) < n || !bytes.Equal(top.old[:n], top.new[:n]) {
			return
		}
		top.old, top.new = top.old[n:], top.new[n:]
	}
}

func (w *treeWalk) next(data *[]byte) (treeEntry, error) {
	mode, name, id, rest, err := git.NextEntry(w.format, *data)
	if err != nil {
		return treeEntry{}, fmt.Errorf("directory %q: %w", w.path, err)
	}
	*data = rest
	return treeEntry{shownMode(mode), name, id}, nil
}

// shownMode is the mode as git's diff shows it, which knows five.
func shownMode(m git.Mode) git.Mode {
	switch m & 0o170000 {
	case 0o100000:
		if m&0o100 != 0 {
			return git.ModeExecutable
		}
		return git.ModeBlob
	case git.ModeSymlink, git.ModeTree:
		return m & 0o170000
	}
	return git.ModeSubmodule
}

// compareNames is git's order of a tree, in which the name of a directory
// counts as if it ended with a slash.
func compareNames(a, b treeEntry) int {
	n := min(len(a.name), len(b.name))
	if cmp := bytes.Compare(a.name[:n], b.name[:n]); cmp != 0 {
		return cmp
	}
	return int(a.byteAt(n)) - int(b.byteAt(n))
}

// byteAt is the byte of e's name at i, which is at most the name's length.
func (e *treeEntry) byteAt(i int) byte {
	switch {
	case i < len(e.name):
		return e.name[i]
	case e.mode == git.ModeTree:
		return '/'
	}
	return 0
}

// visit takes up the entries a and b of one name, of which one may be missing.
// Directories never meet files here: their names compare differently.
func (w *treeWalk) visit(a, b treeEntry, all bool) error {
	name, isDir := b.name, b.mode == git.ModeTree
	if b.mode == 0 {
		name, isDir = a.name, a.mode == git.ModeTree
	}
	if len(w.path)+len(name) > w.options.MaxPath {
		return &LimitError{"path length", int64(w.options.MaxPath)}
	}
	w.path = append(w.path, name...)
	if !all {
		var wanted bool
		if wanted, all = w.wanted(isDir); !wanted {
			return nil
		}
	}
	if isDir {
		w.path = append(w.path, '/')
		return w.enter(a.id, b.id, all)
	}
	path := string(w.path)
	var c Change
	if a.mode != 0 {
		c.Old = Side{path, a.mode, a.id}
	}
	if b.mode != 0 {
		c.New = Side{path, b.mode, b.id}
	}
	c.Status = statusOf(c.Old, c.New)
	if c.Status == Unchanged && !w.options.Unchanged { // modes that only differ as stored
		return nil
	}
	if !w.yield(c, nil) {
		return errStopped
	}
	return nil
}

// wanted reports whether what is at w.path is asked for, or has something
// below it that is, and whether all below it is.
func (w *treeWalk) wanted(isDir bool) (wanted, all bool) {
	path := string(w.path)
	for _, p := range w.options.Paths {
		dir, isOnlyDir := strings.CutSuffix(p, "/")
		switch {
		case dir == path:
			if isDir || !isOnlyDir {
				return true, true
			}
		case isDir && len(dir) > len(path) && dir[len(path)] == '/' && dir[:len(path)] == path:
			wanted = true
		}
	}
	return wanted, false
}
