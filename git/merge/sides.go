package merge

import (
	"github.com/ingot-forge/ingot/git/diff"
)

// sideRenames is what one side added, removed and renamed.
type sideRenames struct {
	pairs []*pair
	// relevant are the removed files of which it matters whereto they were renamed.
	relevant map[string]relevance
	// dirsRemoved are the directories that are gone, and whether it matters whereto.
	dirsRemoved map[string]dirRelevance
	// dirCounts has, for such a directory, how many files went whereto.
	dirCounts map[string]*counts
	// dirRenames says whereto directories were renamed.
	dirRenames map[string]string

	deferred   []deferredWalk
	targetDirs map[string]bool // directories into which files were renamed
	mustWalk   bool            // all of deferred, since files may have been renamed into them
	skipped    bool            // a limit kept renames from being found

	// known is what pairRenames found the first time, if the trees are walked again.
	known        known
	knownTargets map[string]bool
	knownNoMore  map[string]bool
}

// known maps files to what they were renamed to; "" if they were deleted. keys are in
// the order in which they came.
type known struct {
	keys []string
	to   map[string]string
}

func (k *known) set(path, to string) {
	if _, ok := k.to[path]; !ok {
		k.keys = append(k.keys, path)
	}
	k.to[path] = to
}

// relevance says why it matters whereto a file was renamed.
type relevance uint8

const (
	noMore   relevance = iota // it did
	content                   // the other side changed it
	location                  // it tells whereto its directory was renamed
)

// dirRelevance says for what it matters whereto a directory was renamed.
type dirRelevance uint8

const (
	forNothing   dirRelevance = iota
	forDirsAbove              // it counts for a directory above
	forItself                 // the other side added files to it
)

type deferredWalk struct {
	path    string
	dirMask uint8
}

// pair is a file that was added, removed or renamed.
type pair struct {
	one, two diff.Side // two does not exist where it was removed, nor one where it was added
	oldPath  string    // one's, or of the file itself where it was added
	newPath  string
	status   diff.Status
	side     int
	used     bool // as the source of a renamed one
}

// reset forgets all but what is known.
func (s *sideRenames) reset() {
	again := sideRenames{known: s.known, knownTargets: s.knownTargets, knownNoMore: s.knownNoMore, dirCounts: s.dirCounts}
	*s = again
	s.relevant = map[string]relevance{}
	s.dirsRemoved = map[string]dirRelevance{}
	s.dirRenames = map[string]string{}
	s.targetDirs = map[string]bool{}
	if s.dirCounts == nil {
		s.dirCounts = map[string]*counts{}
	}
	if s.known.to == nil {
		s.known.to, s.knownTargets, s.knownNoMore = map[string]string{}, map[string]bool{}, map[string]bool{}
	}
}

// hasUnknown reports whether there are relevant files of which it is not known where
// they are. Of those known it notes the directories.
func (s *sideRenames) hasUnknown(paths map[string]*entry) bool {
	for path := range s.relevant {
		if s.knownNoMore[path] {
			continue
		}
		to, ok := s.known.to[path]
		if !ok {
			return true
		}
		if to == "" || paths[to] != nil {
			continue
		}
		for dir := parent(to); dir != "" && !s.targetDirs[dir]; dir = parent(dir) {
			s.targetDirs[dir] = true
		}
	}
	return false
}

// collectRenames notes what a name tells about files that may have been renamed.
func (m *merger) collectRenames(dir, path string, r *row, match uint8) {
	if m.dirMask != 7 && (r.dirs == 3 || r.dirs == 5) {
		// One side removed the directory. Whereto it was renamed matters if
		// the other side added files to it.
		m.dirMask = r.dirs &^ 1
	}
	if r.dirs == 1 || r.dirs == 3 || r.dirs == 5 {
		why := forNothing
		if m.dirMask == 7 {
			why = forDirsAbove
		}
		for side := 1; side <= 2; side++ {
			if r.dirs&(1<<side) == 0 {
				m.sides[side].dirsRemoved[path] = why
			}
		}
	}
	if m.dirMask == 7 && (r.files == 2 || r.files == 4) {
		m.sides[3-r.files>>1].dirsRemoved[dir] = forItself
	}
	if r.files == 0 || r.files == 7 {
		return
	}
	for side := 1; side <= 2; side++ {
		switch before, now := r.files&1 != 0, r.files&(1<<side) != 0; {
		case before && !now:
			m.removed(side, path, r.versions[0], match&r.files)
		case !before && now:
			m.added(side, path, r.versions[side])
		}
	}
}

func (m *merger) added(side int, path string, v Version) {
	s := &m.sides[side]
	if s.knownTargets[path] {
		return
	}
	s.pairs = append(s.pairs, &pair{two: diff.Side{Path: path, Mode: v.Mode, ID: v.ID}, oldPath: path, newPath: path})
}

func (m *merger) removed(side int, path string, v Version, match uint8) {
	s := &m.sides[side]
	if match == 0 {
		delete(s.knownNoMore, path)
		s.relevant[path] = content
	} else if m.dirMask == 7 {
		s.relevant[path] = location
	}
	if _, ok := s.known.to[path]; ok || s.knownNoMore[path] {
		return
	}
	s.pairs = append(s.pairs, &pair{one: diff.Side{Path: path, Mode: v.Mode, ID: v.ID}, oldPath: path, newPath: path})
}
