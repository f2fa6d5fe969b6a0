package revlog

import (
	"context"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// lookup finds one path in trees, and remembers what it found: most trees are
// met twice, with the commit and with its child.
type lookup struct {
	objects   git.Objects
	format    git.Format
	parts     []string
	directory bool // only directories (and submodules) are found
	known     []map[git.ID]entry
}

// entry is what is at a path. The zero entry is nothing.
type entry struct {
	id   git.ID
	mode git.Mode // as git compares it
}

func (e entry) isTree() bool { return e.mode == git.ModeTree }

// knownTrees bounds what is remembered at each level; a hundred bytes each.
const knownTrees = 1 << 12

func newLookup(commits *ancestry.Commits, name string, directory bool) *lookup {
	l := &lookup{objects: commits.Objects(), format: commits.Format(), directory: directory}
	if name != "" {
		l.parts = strings.Split(name, "/")
	}
	l.known = make([]map[git.ID]entry, len(l.parts))
	for i := range l.known {
		l.known[i] = map[git.ID]entry{}
	}
	return l
}

// differ reports whether two root trees differ at the path. A zero id is the empty tree.
func (l *lookup) differ(ctx context.Context, a, b git.ID) (bool, error) {
	for level := range l.parts {
		if a == b {
			return false, nil
		}
		old, err := l.entry(ctx, level, a)
		if err != nil {
			return false, err
		}
		new, err := l.entry(ctx, level, b)
		if err != nil {
			return false, err
		}
		if level == len(l.parts)-1 {
			return old != new, nil
		}
		// What is no directory has nothing below.
		a, b = git.ID{}, git.ID{}
		if old.isTree() {
			a = old.id
		}
		if new.isTree() {
			b = new.id
		}
	}
	return a != b, nil
}

// find returns what a root tree has at the path.
func (l *lookup) find(ctx context.Context, tree git.ID) (entry, error) {
	e := entry{tree, git.ModeTree}
	for level := range l.parts {
		if !e.isTree() {
			return entry{}, nil
		}
		var err error
		if e, err = l.entry(ctx, level, e.id); err != nil {
			return entry{}, err
		}
	}
	return e, nil
}

// entry returns what a tree has for one part of the path.
func (l *lookup) entry(ctx context.Context, level int, tree git.ID) (entry, error) {
	if tree.IsZero() {
		return entry{}, nil
	}
	known := l.known[level]
	if e, ok := known[tree]; ok {
		return e, nil
	}
	data, err := readTree(ctx, l.objects, tree)
	if err != nil {
		return entry{}, err
	}
	e, err := search(l.format, data, l.parts[level])
	if err != nil {
		return entry{}, fmt.Errorf("tree %s: %w", tree, err)
	}
	if l.directory && level == len(l.parts)-1 && !e.isTree() && e.mode != git.ModeSubmodule {
		e = entry{}
	}
	if len(known) >= knownTrees {
		clear(known)
	}
	known[tree] = e
	return e, nil
}

func readTree(ctx context.Context, objects git.Objects, id git.ID) ([]byte, error) {
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
func search(f git.Format, data []byte, name string) (entry, error) {
	for len(data) > 0 {
		mode, start, end := git.EntrySpan(f, data)
		if start == 0 {
			_, _, _, _, err := git.NextEntry(f, data)
			return entry{}, err
		}
		next := end + 1 + f.Size()
		if string(data[start:end]) == name {
			return entry{f.FromBytes(data[end+1:]), canonical(mode)}, nil
		}
		data = data[next:]
	}
	return entry{}, nil
}

// canonical is the mode as git compares it.
func canonical(m git.Mode) git.Mode {
	switch {
	case m.IsTree():
		return git.ModeTree
	case m&0o170000 == git.ModeSubmodule, m&0o170000 == git.ModeSymlink:
		return m & 0o170000
	case m&0o100 != 0:
		return git.ModeExecutable
	}
	return git.ModeBlob
}
