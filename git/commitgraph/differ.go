package commitgraph

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

const (
	// maxWork bounds the bytes of trees and paths that are looked at for one commit. A
	// directory of 100,000 files has 4 MB; beyond this are trees that were
	// made to have more paths than can be counted.
	maxWork = 64 << 20
	// keptTrees is how many bytes of trees a differ keeps, twice: of neighbours in
	// history most trees are the same.
	keptTrees = 4 << 20
	// maxKeptTree is the largest tree that is kept.
	maxKeptTree = keptTrees / 4
)

// differ finds the paths in which trees differ. It serves one goroutine.
type differ struct {
	objects git.Objects
	format  git.Format

	now, past map[git.ID][]byte // trees: those of past are left when now is full
	kept      int               // bytes in now

	work   int      // bytes left for this commit
	stack  []subdir // still to be compared
	paths  []byte   // the paths of stack, one after the other
	prefix []byte   // path of the directory at hand, with a slash; used to make those in it
	listed bool     // prefix is among the keys

	keys []pathKey
	seen map[pathKey]struct{}
}

// subdir is a directory whose trees differ. A zero id is one that is not there.
type subdir struct {
	old, new git.ID
	path     int // where its path starts in differ.paths; it ends with the next one's
}

func newDiffer(objects git.Objects, f git.Format) *differ {
	return &differ{objects: objects, format: f,
		now: make(map[git.ID][]byte), past: make(map[git.ID][]byte), seen: make(map[pathKey]struct{})}
}

// changed returns the keys of the paths in which two root trees differ, directories
// included; ok is false if they are too many. keys hold until the next call.
func (d *differ) changed(ctx context.Context, old, new git.ID) (keys []pathKey, ok bool, err error) {
	d.work, d.keys = maxWork, d.keys[:0]
	d.paths, d.stack = d.paths[:0], d.stack[:0]
	clear(d.seen)
	if old != new {
		d.stack = append(d.stack, subdir{old: old, new: new})
	}
	for len(d.stack) > 0 {
		top := d.stack[len(d.stack)-1]
		d.stack = d.stack[:len(d.stack)-1]
		d.prefix = append(d.prefix[:0], d.paths[top.path:]...)
		d.paths = d.paths[:top.path]
		d.listed = len(d.prefix) == 0
		before, err := d.tree(ctx, top.old)
		if err != nil {
			return nil, false, err
		}
		after, err := d.tree(ctx, top.new)
		if err != nil {
			return nil, false, err
		}
		d.work -= len(before) + len(after) + len(d.prefix)
		if d.work < 0 {
			return nil, false, nil
		}
		if err := d.compare(before, after); err != nil {
			return nil, false, fmt.Errorf("tree %s or %s: %w", d.format.Hex(top.old), d.format.Hex(top.new), err)
		}
		if len(d.keys) > maxChanged || d.work < 0 {
			return nil, false, nil
		}
	}
	return d.keys, true, nil
}

// tree returns the content of a tree; nothing if there is none.
func (d *differ) tree(ctx context.Context, id git.ID) ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	if data, ok := d.now[id]; ok {
		return data, nil
	}
	data, ok := d.past[id]
	if !ok {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kind, read, err := d.objects.Object(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("tree %s: %w", d.format.Hex(id), err)
		}
		if kind != git.KindTree {
			return nil, fmt.Errorf("%w: tree %s is a %s", git.ErrCorrupt, d.format.Hex(id), kind)
		}
		data = read
	}
	if len(data) <= maxKeptTree {
		if d.kept+len(data) > keptTrees {
			d.now, d.past = d.past, d.now
			clear(d.now)
			d.kept = 0
		}
		d.now[id] = data
		d.kept += len(data)
	}
	return data, nil
}

// compare looks for differences between the entries of two trees, and stops
// when they are too many.
func (d *differ) compare(old, new []byte) error {
	for len(d.keys) <= maxChanged && d.work >= 0 {
		same := git.SameEntries(d.format, old, new)
		old, new = old[same:], new[same:]
		if len(old)+len(new) == 0 {
			return nil
		}
		o, err := d.entry(old)
		if err != nil {
			return err
		}
		n, err := d.entry(new)
		if err != nil {
			return err
		}
		switch c := compareEntries(&o, &n); {
		case c < 0:
			d.differs(&o, o.id, git.ID{})
			old = old[o.size:]
		case c > 0:
			d.differs(&n, git.ID{}, n.id)
			new = new[n.size:]
		default:
			// A mode that git would not write may stand for one that it would.
			if o.id != n.id || canonical(o.mode) != canonical(n.mode) {
				d.differs(&n, o.id, n.id)
			}
			old, new = old[o.size:], new[n.size:]
		}
	}
	return nil
}

// treeEntry is an entry of a tree; size is how many bytes it takes, 0 where the tree ends.
type treeEntry struct {
	mode git.Mode
	name []byte
	id   git.ID
	size int
}

func (d *differ) entry(data []byte) (e treeEntry, err error) {
	if len(data) == 0 {
		return e, nil
	}
	var rest []byte
	e.mode, e.name, e.id, rest, err = git.NextEntry(d.format, data)
	e.size = len(data) - len(rest)
	return e, err
}

// compareEntries is git's order of a tree, where the end comes after everything
// and a directory's name counts as if it ended with a slash.
func compareEntries(a, b *treeEntry) int {
	if a.size == 0 || b.size == 0 {
		return b.size - a.size
	}
	n := min(len(a.name), len(b.name))
	if c := bytes.Compare(a.name[:n], b.name[:n]); c != 0 {
		return c
	}
	return a.byteAt(n) - b.byteAt(n)
}

func (e *treeEntry) byteAt(i int) int {
	switch {
	case i < len(e.name):
		return int(e.name[i])
	case e.mode.IsTree():
		return '/'
	}
	return 0
}

// canonical returns the mode that git takes a mode for.
func canonical(m git.Mode) git.Mode {
	const kinds = 0o170000
	switch m & kinds {
	case git.ModeBlob & kinds:
		if m&0o100 != 0 {
			return git.ModeExecutable
		}
		return git.ModeBlob
	case git.ModeSymlink, git.ModeTree:
		return m & kinds
	}
	return git.ModeSubmodule
}

// differs notes that an entry is not the same in both trees: what it is, if it is
// no directory, else that the directory is to be looked at.
func (d *differ) differs(e *treeEntry, old, new git.ID) {
	if e.mode.IsTree() {
		d.stack = append(d.stack, subdir{old: old, new: new, path: len(d.paths)})
		d.paths = append(d.paths, d.prefix...)
		d.paths = append(d.paths, e.name...)
		d.paths = append(d.paths, '/')
		d.work -= len(d.prefix)
		return
	}
	end := len(d.prefix)
	d.prefix = append(d.prefix, e.name...)
	d.add(d.prefix)
	d.prefix = d.prefix[:end]
	d.work -= end
	if !d.listed {
		d.listed = true
		d.addDirectories()
	}
}

// addDirectories adds the directory at hand and those above it. Where one is there,
// so are those above.
func (d *differ) addDirectories() {
	for path := d.prefix; len(d.keys) <= maxChanged && d.work >= 0; {
		end := bytes.LastIndexByte(path, '/')
		if end <= 0 {
			return
		}
		path = path[:end]
		d.work -= end
		if !d.add(path) {
			return
		}
	}
}

// add adds a path, and reports whether it is new. Paths of the same two hashes
// are the same to a filter.
func (d *differ) add(path []byte) bool {
	key := keyOf(path)
	if _, ok := d.seen[key]; ok {
		return false
	}
	d.seen[key] = struct{}{}
	d.keys = append(d.keys, key)
	return true
}
