package merge

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// merger is the merge of three trees: collect walks them, pairRenames finds what
// moved, relate brings together what belongs together, and settle merges path by
// path.
//
// Sides are 1 for ours and 2 for theirs; 0 is base. A mask has a bit for each.
type merger struct {
	*store
	o      Options
	depth  int // 0: the result is for the caller; more: it is a base for the merge above
	labels [3]string

	paths      map[string]*entry
	conflicted map[string]*entry
	notes      map[string][]Note
	sides      [3]sideRenames // of 1 and 2
	// dirMask tells collect what to do with files that one side removed from the
	// directory at hand: 0 nothing; 2 or 4, that side still has the directory, and
	// where it added files to it, whereto the directory moved matters; 7, it matters.
	dirMask uint8
	again   again
	clean   bool
	result  *Result
}

// again says whether to walk the trees once more when the renames are known, for
// then most directories need not be read.
type again uint8

const (
	notAgain again = iota
	worthwhile
	secondTime
)

// entry is what is known of a path.
type entry struct {
	dir    string // the directory it is in
	clean  bool   // result is what comes out
	absent bool   // and that is nothing
	opened bool   // clean, but what is in the directory is noted, too
	result Version
	*stages
}

// stages is what there is at a path that is not clean from the beginning.
type stages struct {
	versions [3]Version
	from     [3]string // the paths of the versions
	// inWay: a directory is or was at the path of the file.
	inWay bool
	// unsettled: there is a conflict about the path, not about the content.
	unsettled   bool
	files, dirs uint8 // masks of the sides that have a file, or a directory, here
	match       uint8 // mask of the sides that have the same; 0 if none have
}

func newMerger(s *store, o Options, depth int) *merger {
	m := &merger{store: s, o: o, depth: depth, labels: [3]string{o.Base, o.Ours, o.Theirs}, notes: map[string][]Note{}, clean: true}
	m.reset()
	return m
}

func (m *merger) reset() {
	m.paths, m.conflicted = map[string]*entry{}, map[string]*entry{}
	for side := range m.sides {
		m.sides[side].reset()
	}
}

func (m *merger) run(trees [3]git.ID) error {
	for {
		if err := m.collect(trees); err != nil {
			return err
		}
		ok, err := m.pairRenames()
		if err != nil {
			return err
		}
		if ok {
			break
		}
		m.reset()
	}
	tree, err := m.settle()
	if err != nil {
		return err
	}
	m.result = &Result{Tree: tree, RenamesSkipped: m.sides[1].skipped || m.sides[2].skipped}
	for path, e := range m.conflicted {
		c := Conflict{Path: path}
		for side, v := range []*Version{&c.Base, &c.Ours, &c.Theirs} {
			if e.files&(1<<side) != 0 {
				*v = e.versions[side]
			}
		}
		m.result.Conflicts = append(m.result.Conflicts, c)
	}
	slices.SortFunc(m.result.Conflicts, func(a, b Conflict) int { return strings.Compare(a.Path, b.Path) })
	m.result.Clean = m.clean && len(m.conflicted) == 0
	for _, notes := range m.notes {
		m.result.Notes = append(m.result.Notes, notes...)
	}
	slices.SortStableFunc(m.result.Notes, func(a, b Note) int { return strings.Compare(a.Paths[0], b.Paths[0]) })
	if m.depth > 0 {
		return nil
	}
	return m.store.collect(m.result)
}

// note notes something. What happens within the merge of bases is of no interest.
func (m *merger) note(t Topic, text string, paths ...string) {
	if m.depth > 0 {
		return
	}
	m.notes[paths[0]] = append(m.notes[paths[0]], Note{t, paths, text})
}

// uniquePath returns where to put a file of a side that cannot be at its path.
func (m *merger) uniquePath(path string, side int) string {
	stem := path + "~" + strings.ReplaceAll(m.labels[side], "/", "_")
	unique := stem
	for i := 0; m.paths[unique] != nil; i++ {
		unique = stem + "_" + strconv.Itoa(i)
	}
	return unique
}

// parent is the directory that a path is in; "" for the root, too.
func parent(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

const typeMask = 0o170000

func sameType(a, b git.Mode) bool { return a&typeMask == b&typeMask }

func isRegular(m git.Mode) bool { return m&typeMask == 0o100000 }
