package merge

import (
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// settling merges path by path, and makes trees of what comes out.
type settling struct {
	*merger
	made map[string][]git.Entry // what comes out in directories that are not done yet
}

// settle merges what is at each path, and returns the tree that comes out. What
// is in a directory comes before the directory itself: then it is known whether a file
// can be there instead.
func (m *merger) settle() (git.ID, error) {
	s := settling{m, map[string][]git.Entry{}}
	paths := make([]string, 0, len(m.paths))
	for path := range m.paths {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { return compareDirsFirst(b, a) })
	for _, path := range paths {
		e := m.paths[path]
		if err := s.finishDir(path, e); err != nil {
			return git.ID{}, err
		}
		if e.clean {
			s.record(path, e)
			continue
		}
		if err := s.entry(path, e); err != nil {
			return git.ID{}, err
		}
	}
	return s.writeTree("")
}

// compareDirsFirst orders directories before what is in them, and that next to them.
func compareDirsFirst(a, b string) int {
	n := min(len(a), len(b))
	if cmp := strings.Compare(a[:n], b[:n]); cmp != 0 || len(a) == len(b) {
		return cmp
	}
	if len(a) < len(b) {
		if b[n] == '/' {
			return -1
		}
		return int('/') - int(b[n])
	}
	return -compareDirsFirst(b, a)
}

// finishDir makes a tree of what came out in a directory.
func (s *settling) finishDir(path string, e *entry) (err error) {
	switch {
	case len(s.made[path]) > 0:
		e.absent = false
		e.result.Mode = git.ModeTree
		e.result.ID, err = s.writeTree(path)
	case e.opened:
		e.absent = true
	}
	return err
}

func (s *settling) writeTree(dir string) (git.ID, error) {
	data := git.AppendTree(s.format, nil, s.made[dir])
	delete(s.made, dir)
	return s.write(git.KindTree, data)
}

// record notes what comes out at a path.
func (s *settling) record(path string, e *entry) {
	if !e.absent {
		s.made[e.dir] = append(s.made[e.dir], git.Entry{Mode: e.result.Mode, Name: baseName(path), ID: e.result.ID})
	}
}

// entry merges what is at a path.
func (s *settling) entry(path string, e *entry) error {
	fileSide := 0 // whose file a directory is in the way of
	if e.dirs != 0 {
		s.record(path, e)
		if e.files == 0 {
			return nil
		}
	}
	switch {
	case !e.inWay:
	case e.result.Mode == 0: // nothing is left in the directory
		e.inWay, e.absent = false, false
		e.match &^= e.dirs
		e.dirs = 0
		e.keepOnly(e.files)
	case e.files == 1: // both sides removed the file
		e.files = 0
		return nil
	default:
		path, e, fileSide = s.moveAside(path, e)
	}
	var err error
	switch {
	case e.match != 0:
		s.takeChanged(e)
	case e.files >= 6 && !sameType(e.versions[1].Mode, e.versions[2].Mode):
		path = s.retyped(path, e)
	case e.files >= 6:
		err = s.bothChanged(path, e, fileSide)
	case e.files == 3 || e.files == 5:
		s.modifiedDeleted(path, e)
	case e.files == 2 || e.files == 4:
		e.result = e.versions[e.files>>1]
		e.clean = !e.inWay && !e.unsettled
	case e.files == 1: // both sides removed it
		e.absent, e.result = true, Version{}
		e.clean = !e.unsettled
	}
	if err != nil {
		return err
	}
	if !e.clean {
		s.conflicted[path] = e
	}
	s.record(path, e)
	return nil
}

// moveAside gives a file another path, since there is a directory at its own.
func (s *settling) moveAside(path string, e *entry) (string, *entry, int) {
	stages := *e.stages
	file := &entry{dir: e.dir, stages: &stages}
	file.match &^= file.dirs
	file.dirs = 0
	file.keepOnly(file.files)
	side := 1
	if e.dirs&2 != 0 {
		side = 2
	}
	e.files = 0
	aside := s.uniquePath(path, side)
	s.paths[aside] = file
	s.note(FileDirectory, "CONFLICT (file/directory): directory in the way of "+path+" from "+s.labels[side]+
		"; moving it to "+aside+" instead.", aside, path)
	return aside, file, side
}

// takeChanged takes the version that is not the same as two others, or what both
// sides made of it.
func (s *settling) takeChanged(e *entry) {
	e.clean = !e.inWay && !e.unsettled
	if e.match == 6 {
		e.result = e.versions[1]
		return
	}
	side := 1
	if e.match == 3 {
		side = 2
	}
	e.result = e.versions[side]
	e.absent = e.result.Mode == 0
	if e.absent {
		e.clean = true
	}
}

// retyped is where the sides have, say, a file and a symbolic link: each gets a path.
// It returns that of ours.
func (s *settling) retyped(path string, e *entry) string {
	e.clean = false
	if s.depth > 0 {
		e.result = e.versions[0]
		e.absent = e.result.Mode == 0
		return path
	}
	base, ours, theirs := e.versions[0].Mode, e.versions[1].Mode, e.versions[2].Mode
	isOursMoved := isRegular(ours) || !isRegular(theirs)
	isTheirsMoved := !isRegular(ours)
	oursPath, theirsPath := path, path
	paths := []string{path}
	if isOursMoved {
		oursPath = s.uniquePath(path, 1)
		paths = append(paths, oursPath)
	}
	if isTheirsMoved {
		theirsPath = s.uniquePath(path, 2)
		paths = append(paths, theirsPath)
	}
	which := "one"
	if isOursMoved && isTheirsMoved {
		which = "both"
	}
	s.note(DistinctModes, "CONFLICT (distinct types): "+path+" had different types on each side; renamed "+which+
		" of them so each can be recorded somewhere.", paths...)

	stages := *e.stages
	other := &entry{dir: e.dir, stages: &stages, result: e.versions[2]}
	e.result = e.versions[1]
	other.versions[1], other.files = Version{}, 5
	if !sameType(theirs, base) {
		other.versions[0], other.files = Version{}, 4
	}
	e.versions[2], e.files = Version{}, 3
	if !sameType(ours, base) {
		e.versions[0], e.files = Version{}, 2
	}
	if isOursMoved && isTheirsMoved {
		delete(s.paths, path)
	}
	s.paths[oursPath], s.paths[theirsPath] = e, other
	s.conflicted[theirsPath] = other
	s.record(theirsPath, other)
	return oursPath
}

// bothChanged merges what both sides have.
func (s *settling) bothChanged(path string, e *entry, fileSide int) error {
	merged, clean, err := s.content(path, e.versions, e.from, 2*s.depth)
	if err != nil {
		return err
	}
	e.clean = clean && !e.inWay && !e.unsettled
	e.result, e.absent = merged, merged.Mode == 0
	if clean && e.inWay {
		e.files = 1 << fileSide
		e.versions[fileSide] = merged
	}
	if !clean {
		reason := "content"
		if e.files == 6 {
			reason = "add/add"
		}
		if merged.Mode == git.ModeSubmodule {
			reason = "submodule"
		}
		s.note(ContentConflict, "CONFLICT ("+reason+"): Merge conflict in "+path, path)
	}
	return nil
}

// modifiedDeleted is where one side removed what the other one changed.
func (s *settling) modifiedDeleted(path string, e *entry) {
	side := 1
	if e.files == 5 {
		side = 2
	}
	e.clean = false
	e.result = e.versions[side]
	if s.depth > 0 {
		e.result = e.versions[0]
	}
	if e.unsettled && e.versions[0].ID == e.versions[side].ID {
		return // it was renamed, not changed, and that is noted
	}
	modified, deleted := s.labels[side], s.labels[3-side]
	s.note(ModifyDelete, "CONFLICT (modify/delete): "+path+" deleted in "+deleted+" and modified in "+modified+
		".  Version "+modified+" of "+path+" left in tree.", path)
}
