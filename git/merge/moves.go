package merge

import (
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git/diff"
)

// pairRenames finds out what was renamed, and brings together what belongs
// together. It is not ok if the trees are to be walked again, now that it is known.
func (m *merger) pairRenames() (ok bool, err error) {
	ours, theirs := &m.sides[1], &m.sides[2]
	if !ours.mayRename() && !theirs.mayRename() && len(ours.known.keys)+len(theirs.known.keys) == 0 {
		return true, nil
	}
	looked := ours.mayRenameUnknown() || theirs.mayRenameUnknown()
	for _, s := range []*sideRenames{ours, theirs} {
		if err := m.findPairs(s); err != nil {
			return false, err
		}
	}
	if m.again == worthwhile && looked && !ours.skipped && !theirs.skipped {
		ours.learn()
		theirs.learn()
		m.again = secondTime
		return false, nil
	}
	ours.recall()
	theirs.recall()
	if m.depth == 0 && m.o.DirectoryRenames != LeaveBehind {
		m.nameDirectories(ours)
		m.nameDirectories(theirs)
		for dir := range ours.dirRenames {
			if _, ok := theirs.dirRenames[dir]; ok {
				delete(ours.dirRenames, dir)
				delete(theirs.dirRenames, dir)
			}
		}
	}
	targets := [3]map[string]*dirTarget{nil, collide(ours.pairs, theirs.dirRenames), collide(theirs.pairs, ours.dirRenames)}
	var moved []*pair
	for side := 1; side <= 2; side++ {
		for _, p := range m.sides[side].pairs {
			if p.status != diff.Added && p.status != diff.Renamed {
				continue
			}
			along, err := m.moveAlong(p, side, targets)
			if err != nil {
				return false, err
			}
			if p.status == diff.Renamed || along {
				p.side = side
				moved = append(moved, p)
			}
		}
	}
	slices.SortStableFunc(moved, func(a, b *pair) int { return strings.Compare(a.oldPath, b.oldPath) })
	return true, m.relate(moved)
}

func (s *sideRenames) mayRename() bool { return len(s.pairs) > 0 && len(s.relevant) > 0 }

// mayRenameUnknown is mayRename, for what is not known.
func (s *sideRenames) mayRenameUnknown() bool {
	if len(s.pairs) == 0 {
		return false
	}
	for path := range s.relevant {
		if _, ok := s.known.to[path]; !ok && !s.knownNoMore[path] {
			return true
		}
	}
	return false
}

// learn keeps what was found of relevant files.
func (s *sideRenames) learn() {
	for _, p := range s.pairs {
		why, ok := s.relevant[p.oldPath]
		switch {
		case !ok || p.status == diff.Added:
		case why == noMore:
			s.knownNoMore[p.oldPath] = true
		case p.status == diff.Deleted:
			s.known.set(p.oldPath, "")
		default:
			s.known.set(p.oldPath, p.newPath)
			s.knownTargets[p.newPath] = true
		}
	}
}

// recall adds what is known to the pairs.
func (s *sideRenames) recall() {
	keys := s.known.keys
	for _, i := range hashOrder(len(keys), func(i int) string { return keys[i] }) {
		p := &pair{oldPath: keys[i], newPath: s.known.to[keys[i]], status: diff.Renamed}
		if p.newPath == "" {
			p.newPath, p.status = p.oldPath, diff.Deleted
		}
		s.pairs = append(s.pairs, p)
	}
}

// nameDirectories says whereto the directories of a side were renamed: where most
// of their files went.
func (m *merger) nameDirectories(s *sideRenames) {
	for dir, c := range s.dirCounts {
		most, best, tied := 0, "", false
		for to, n := range c.n {
			switch {
			case n > most:
				most, best, tied = n, to, false
			case n == most:
				tied = true
			}
		}
		switch {
		case most == 0:
		case tied:
			m.note(DirectorySplit, "CONFLICT (directory rename split): Unclear where to rename "+dir+
				" to; it was renamed to multiple other directories, with no destination getting a majority of the files.", dir)
			m.clean = false
		default:
			s.dirRenames[dir] = best
		}
	}
}

// renamedDir returns the directory nearest to a path that was renamed.
func renamedDir(path string, renames map[string]string) (dir, to string, ok bool) {
	for dir = parent(path); dir != ""; dir = parent(dir) {
		if to, ok = renames[dir]; ok {
			return dir, to, true
		}
	}
	return "", "", false
}

// along is a path after its directory was renamed.
func along(path, dir, to string) string {
	if to == "" {
		return path[len(dir)+1:]
	}
	return to + path[len(dir):]
}

// dirTarget is a path to which files would go along with their directories.
type dirTarget struct {
	sources  []string // sorted
	reported bool
}

// collide says what files of one side would go where, along with directories that
// the other side renamed. It may be several to one path.
func collide(pairs []*pair, renames map[string]string) map[string]*dirTarget {
	targets := map[string]*dirTarget{}
	if len(renames) == 0 {
		return targets
	}
	for _, p := range pairs {
		if p.status != diff.Added && p.status != diff.Renamed {
			continue
		}
		dir, to, ok := renamedDir(p.newPath, renames)
		if !ok {
			continue
		}
		path := along(p.newPath, dir, to)
		t := targets[path]
		if t == nil {
			t = &dirTarget{}
			targets[path] = t
		}
		if at, found := slices.BinarySearch(t.sources, p.newPath); !found {
			t.sources = slices.Insert(t.sources, at, p.newPath)
		}
	}
	return targets
}

// moveAlong moves a file that one side put into a directory which the other side
// renamed. It reports whether it did.
func (m *merger) moveAlong(p *pair, side int, targets [3]map[string]*dirTarget) (bool, error) {
	renames := m.sides[3-side].dirRenames
	if targets[3-side][p.newPath] != nil { // the other side has something go here, too
		return false, nil
	}
	dir, to, ok := renamedDir(p.newPath, renames)
	if !ok {
		return false, nil
	}
	if _, ok := m.sides[side].dirRenames[to]; ok {
		m.note(DirectorySkipped, "WARNING: Avoiding applying "+dir+" -> "+to+" rename to "+p.newPath+
			", because "+to+" itself was renamed.", dir, p.newPath, to)
		return false, nil
	}
	path := along(p.newPath, dir, to)
	if err := m.open(parent(path)); err != nil {
		return false, err
	}
	if !m.isFree(path, side, targets[side][path]) {
		m.clean = false
		return false, nil
	}
	m.moveEntry(p, path)
	return true, nil
}

// isFree reports whether just one file can go along to a path.
func (m *merger) isFree(path string, side int, t *dirTarget) bool {
	if t.reported {
		return false
	}
	e := m.paths[path]
	inWay := e != nil && (e.clean || (e.files|e.dirs)&(1<<side) != 0)
	if !inWay && len(t.sources) == 1 {
		return true
	}
	t.reported = true
	sources := strings.Join(t.sources, ", ")
	if paths := append([]string{path}, t.sources...); inWay {
		m.note(DirectoryFileInWay, "CONFLICT (implicit dir rename): Existing file/dir at "+path+
			" in the way of implicit directory rename(s) putting the following path(s) there: "+sources+".", paths...)
	} else {
		m.note(DirectoryCollision, "CONFLICT (implicit dir rename): Cannot map more than one path to "+path+
			"; implicit directory renames tried to put these paths there: "+sources, paths...)
	}
	return false
}

// open notes what is in a directory that did not have to be walked, so that
// something can be put there. (Git 2.39 loses what was in it.)
func (m *merger) open(dir string) error {
	var closed []string
	for ; dir != ""; dir = parent(dir) {
		e := m.paths[dir]
		if e != nil && e.clean && !e.opened && e.result.Mode.IsTree() {
			closed = append(closed, dir)
		}
	}
	// At most one of them is: what is below it is not known.
	for _, dir := range closed {
		e := m.paths[dir]
		entries, err := m.readTree(dir, e.result.ID)
		if err != nil {
			return err
		}
		e.opened = true
		for _, child := range entries {
			path := dir + "/" + string(child.name)
			if m.paths[path] == nil {
				m.paths[path] = &entry{dir: dir, clean: true, result: child.Version}
			}
		}
	}
	return nil
}

// moveEntry puts what is at the new path of a pair to another one.
func (m *merger) moveEntry(p *pair, path string) {
	old := p.newPath
	e := m.paths[old]
	m.makeDirs(parent(path), e.files)
	if e.dirs == 0 {
		delete(m.paths, old)
	} else {
		// The directory stays, until it is known what becomes of all in it.
		e = e.splitFile()
	}
	e.dir = parent(path)
	mover, renamer := m.labels[1], m.labels[2]
	if e.files != 2 {
		mover, renamer = renamer, mover
	}
	if there := m.paths[path]; there == nil || there.stages == nil {
		m.paths[path] = e
	} else {
		side := e.files >> 1
		there.files |= e.files
		there.inWay = there.inWay || there.dirs != 0
		there.from[side], there.versions[side] = e.from[side], e.versions[side]
		e = there
	}
	what := old + " added in " + mover
	if p.status == diff.Renamed {
		what = p.oldPath + " renamed to " + old + " in " + mover + ","
	}
	if m.o.DirectoryRenames == MoveAlong {
		m.note(DirectoryApplied, "Path updated: "+what+" inside a directory that was renamed in "+renamer+
			"; moving it to "+path+".", path, old)
	} else {
		e.unsettled = true
		m.note(DirectorySuggested, "CONFLICT (file location): "+what+" inside a directory that was renamed in "+renamer+
			", suggesting it should perhaps be moved to "+path+".", path, old)
	}
	p.newPath = path
}

// makeDirs notes directories that nobody has yet.
func (m *merger) makeDirs(dir string, side uint8) {
	for ; dir != "" && m.paths[dir] == nil; dir = parent(dir) {
		m.paths[dir] = &entry{dir: parent(dir), absent: true, stages: &stages{dirs: side}}
	}
}

// splitFile leaves an entry to its directory, and returns one for its file.
func (e *entry) splitFile() *entry {
	file := *e.stages
	file.dirs = 0
	file.keepOnly(file.files)
	e.files = 0
	e.clean = true
	e.opened = true
	e.keepOnly(e.dirs)
	return &entry{stages: &file}
}

// keepOnly forgets the versions of other sides.
func (s *stages) keepOnly(sides uint8) {
	for side := range s.versions {
		if sides&(1<<side) == 0 {
			s.versions[side] = Version{}
		}
	}
}
