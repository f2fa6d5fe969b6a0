package merge

import (
	"bytes"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// level is a directory that is being walked.
type level struct {
	path  string
	rows  []row
	outer uint8 // dirMask, to be set again behind the directory
}

// row is a name in a directory, with what each side has of it.
type row struct {
	name        string
	versions    [3]Version
	files, dirs uint8
}

// collect walks three trees, notes in paths what is there, and in sides what was
// added and removed.
func (m *merger) collect(trees [3]git.ID) error {
	m.dirMask = 0
	if err := m.walk("", trees); err != nil {
		return err
	}
	return m.walkDeferred()
}

// walk walks a directory and all that has to be walked below it.
func (m *merger) walk(path string, trees [3]git.ID) error {
	first, err := m.enter(path, trees, m.dirMask)
	if err != nil {
		return err
	}
	levels := []level{first}
	for len(levels) > 0 {
		top := &levels[len(levels)-1]
		if len(top.rows) == 0 {
			m.dirMask = top.outer
			levels = levels[:len(levels)-1]
			continue
		}
		r := top.rows[0]
		top.rows = top.rows[1:]
		outer := m.dirMask
		full, below, err := m.visit(top.path, &r)
		if err != nil {
			return err
		}
		if !below {
			m.dirMask = outer
			continue
		}
		next, err := m.enter(full, r.trees(), outer)
		if err != nil {
			return err
		}
		levels = append(levels, next)
	}
	return nil
}

func (r *row) trees() (ids [3]git.ID) {
	for side := range ids {
		if r.dirs&(1<<side) != 0 {
			ids[side] = r.versions[side].ID
		}
	}
	return ids
}

// enter reads a directory.
func (m *merger) enter(path string, trees [3]git.ID, outer uint8) (level, error) {
	l := level{path: path, outer: outer}
	var all [3][]treeEntry
	for side, id := range trees {
		switch {
		case id.IsZero():
			continue
		case side > 0 && id == trees[0]:
			all[side] = all[0]
			continue
		case side == 2 && id == trees[1]:
			all[2] = all[1]
			continue
		}
		var err error
		if all[side], err = m.readTree(path, id); err != nil {
			return l, err
		}
	}
	l.rows = matchNames(all)
	if m.dirMask == 2 || m.dirMask == 4 {
		for _, r := range l.rows {
			if r.files == m.dirMask {
				m.dirMask = 7
				break
			}
		}
	}
	return l, nil
}

// treeEntry is an entry of a tree.
type treeEntry struct {
	name []byte
	Version
}

func (m *merger) readTree(path string, id git.ID) ([]treeEntry, error) {
	data, err := m.read(id, git.KindTree, path)
	if err != nil {
		return nil, err
	}
	entries := make([]treeEntry, 0, len(data)/(m.format.Size()+20))
	for len(data) > 0 {
		mode, name, id, rest, err := git.NextEntry(m.format, data)
		if err != nil {
			return nil, fmt.Errorf("directory %q: %w", path, err)
		}
		entries = append(entries, treeEntry{name, Version{canonical(mode), id}})
		data = rest
	}
	return entries, nil
}

// canonical is the mode as git's merge sees it.
func canonical(m git.Mode) git.Mode {
	switch m & typeMask {
	case 0o100000:
		if m&0o100 != 0 {
			return git.ModeExecutable
		}
		return git.ModeBlob
	case git.ModeSymlink, git.ModeTree:
		return m & typeMask
	}
	return git.ModeSubmodule
}

// matchNames brings together what three trees have of each name, in git's order:
// that of the trees, except where a name is a directory in one and a file in
// another.
func matchNames(trees [3][]treeEntry) []row {
	rows := make([]row, 0, max(len(trees[0]), len(trees[1]), len(trees[2])))
	var taken [3]map[int]bool // entries taken before those in front of them
	var at [3]int
	for {
		var first []byte
		for side, t := range trees {
			for at[side] < len(t) && taken[side][at[side]] {
				at[side]++
			}
			if at[side] < len(t) && (first == nil || bytes.Compare(t[at[side]].name, first) < 0) {
				first = t[at[side]].name
			}
		}
		if first == nil {
			return rows
		}
		r := row{name: string(first)}
		for side, t := range trees {
			i := find(t, at[side], first)
			if i < 0 {
				continue
			}
			if i == at[side] {
				at[side]++
			} else {
				if taken[side] == nil {
					taken[side] = map[int]bool{}
				}
				taken[side][i] = true
			}
			r.versions[side] = t[i].Version
			if t[i].Mode.IsTree() {
				r.dirs |= 1 << side
			} else {
				r.files |= 1 << side
			}
		}
		rows = append(rows, r)
	}
}

// find looks for a name from an entry on. Before a directory there may be names that
// start with its name: "t-2" sorts before the directory "t".
func find(t []treeEntry, from int, name []byte) int {
	for i := from; i < len(t); i++ {
		other := t[i].name
		switch cmp := bytes.Compare(name, other); {
		case cmp == 0:
			return i
		case cmp < 0 && !(bytes.HasPrefix(other, name) && other[len(name)] < '/'):
			return -1
		}
	}
	return -1
}

// visit takes up a name of a directory. below is whether what is in the directory of
// that name has to be visited, too.
func (m *merger) visit(dir string, r *row) (path string, below bool, err error) {
	path = r.name
	if dir != "" {
		path = dir + "/" + r.name
	}
	if len(path) > MaxPathBytes {
		return "", false, &LimitError{"path length", MaxPathBytes}
	}
	if len(m.paths) >= m.o.Paths {
		return "", false, &LimitError{"paths", m.o.Paths}
	}
	if m.paths[path] != nil {
		return "", false, fmt.Errorf("%w: %q is twice in its directory", git.ErrCorrupt, path)
	}
	e := &entry{dir: dir}
	m.paths[path] = e
	mask := r.files | r.dirs
	same := func(i, j int) bool {
		return mask>>i&1 != 0 && mask>>j&1 != 0 && r.versions[i] == r.versions[j]
	}
	oursSame, theirsSame, bothSame := same(0, 1), same(0, 2), same(1, 2)
	if winner := trivialWinner(r, oursSame, theirsSame, bothSame); winner >= 0 {
		e.clean, e.result = true, r.versions[winner]
		return path, false, nil
	}
	var match uint8
	switch {
	case oursSame:
		match = 3
	case theirsSame:
		match = 5
	case bothSame:
		match = 6
	}
	m.collectRenames(dir, path, r, match)
	e.stages = &stages{versions: r.versions, from: [3]string{path, path, path},
		inWay: r.files != 0 && r.dirs != 0, files: r.files, dirs: r.dirs, match: match}
	if r.dirs == 0 {
		return path, false, nil
	}
	e.absent = true // until something is found in it
	if m.deferWalk(path, e) {
		return path, false, nil
	}
	e.match &= r.files
	return path, true, nil
}

// trivialWinner returns whose version comes out, where that is plain; else -1.
// Directories that only one side changed may hold files that were renamed.
func trivialWinner(r *row, oursSame, theirsSame, bothSame bool) int {
	switch {
	case oursSame && theirsSame:
		return 0
	case r.files != 7:
		return -1
	case bothSame, theirsSame:
		return 1
	case oursSame:
		return 2
	}
	return -1
}

// deferWalk puts off a directory that only one side changed, or has: if no file may
// have been renamed into it, it need not be read.
func (m *merger) deferWalk(path string, e *entry) bool {
	side, match := 0, e.match
	switch {
	case e.match == 3:
		side = 2
	case e.match == 5:
		side = 1
	}
	if e.files == 0 && (e.dirs == 2 || e.dirs == 4) {
		match, side = 7-e.dirs, int(e.dirs/2)
	}
	e.match = match
	if m.dirMask == 7 || side == 0 {
		return false
	}
	s := &m.sides[side]
	if s.mustWalk || s.targetDirs[path] {
		return false
	}
	s.deferred = append(s.deferred, deferredWalk{path, m.dirMask})
	return true
}

// growth is by how much more paths there are to be when all directories were read,
// for git to start again.
const growth = 3

// walkDeferred walks the directories put off, of the sides of which a file may have
// been renamed into them.
func (m *merger) walkDeferred() error {
	before, after := len(m.paths), 0
	for side := 1; side <= 2; side++ {
		s := &m.sides[side]
		s.mustWalk = s.hasUnknown(m.paths)
		deferred := s.deferred
		s.deferred = nil
		for _, i := range hashOrder(len(deferred), func(i int) string { return deferred[i].path }) {
			d := deferred[i]
			e := m.paths[d.path]
			if !s.mustWalk && !s.targetDirs[d.path] {
				e.leave(side)
				continue
			}
			r := row{versions: e.versions, dirs: e.dirs}
			e.match &= e.files
			m.dirMask = d.dirMask
			if err := m.walk(d.path, r.trees()); err != nil {
				return err
			}
		}
		for _, d := range s.deferred {
			m.paths[d.path].leave(side)
		}
		if s.mustWalk || after > 0 {
			after = len(m.paths)
		}
	}
	switch {
	case after > 0 && m.again == notAgain && after/before >= growth:
		m.again = worthwhile
	case after == 0 && m.again == secondTime:
		m.again = notAgain
	}
	return nil
}

// leave settles a directory as a side has it.
func (e *entry) leave(side int) {
	e.result = e.versions[side]
	e.absent = e.result.Mode == 0
	e.match, e.clean = 0, true
}
