package repo

import (
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// Conflict lists the refs that kept a change from being made.
type Conflict struct {
	Refs []ConflictRef // in the order of Change.Refs; at least one
}

// ConflictRef is a ref that was not where the change expected it or, when
// Blocker is set, that cannot exist beside another.
type ConflictRef struct {
	Name             string
	Expected, Actual git.ID
	// Blocker is the ref in the way: one of the two names is a directory of the
	// other ("refs/heads/a" and "refs/heads/a/b"), as git refuses it, because
	// clients keep refs as files.
	Blocker string
}

func (e *Conflict) Error() string {
	r := e.Refs[0]
	var more string
	if n := len(e.Refs) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	if r.Blocker != "" {
		return fmt.Sprintf("ref %q cannot exist beside %q%s", r.Name, r.Blocker, more)
	}
	return fmt.Sprintf("ref %q is at %s, not at %s%s", r.Name, r.Actual, r.Expected, more)
}

// CurrentRefs is what Conflicts reads of a repository's refs. Catalogues
// implement it inside the transaction that makes the change.
type CurrentRefs interface {
	// Target returns where a ref points: the zero ID if it does not exist.
	Target(name string) (git.ID, error)
	// Below calls visit for the refs whose names start with dir+"/", until it
	// returns false.
	Below(dir string, visit func(name string) bool) error
}

// Conflicts compares the refs of c with those of the repository: nil, a
// *Conflict, or an error of refs. It is the one place that decides:
//
//   - a ref whose target is not its Old conflicts;
//   - a ref that is created is blocked by another, one's name being a directory
//     of the other's, if that one exists and the change does not delete it, or
//     if the change creates it earlier in its list.
//
// So a change may replace "refs/heads/a" by "refs/heads/a/b", and of two created
// refs that exclude each other the first is in the right, as in git push.
func (c *Change) Conflicts(refs CurrentRefs) error {
	j := judge{refs: refs, change: make(map[string]place, len(c.Refs)), above: make(map[string]bool)}
	for i, u := range c.Refs {
		j.change[u.Name] = place{at: i, deletes: u.New.IsZero() && !u.Old.IsZero(), creates: u.creates()}
	}
	var found []ConflictRef
	for i, u := range c.Refs {
		actual, err := refs.Target(u.Name)
		if err != nil {
			return err
		}
		r := ConflictRef{Name: u.Name, Expected: u.Old, Actual: actual}
		if actual == u.Old && u.creates() {
			if r.Blocker, err = j.blocker(i, u.Name); err != nil {
				return err
			}
		}
		if actual != u.Old || r.Blocker != "" {
			found = append(found, r)
		}
		if u.creates() {
			j.created(u.Name)
		}
	}
	if found != nil {
		return &Conflict{Refs: found}
	}
	return nil
}

func (u RefUpdate) creates() bool { return u.Old.IsZero() && !u.New.IsZero() }

// judge decides which created refs are blocked.
type judge struct {
	refs   CurrentRefs
	change map[string]place
	below  map[string]string // directories of refs created so far, and which ref that is
	above  map[string]bool   // refs known to exist or not: most names share their directories
}

// place says what the change does with a ref, and where in its list.
type place struct {
	at               int
	deletes, creates bool
}

// created notes the directories of a ref that the change creates.
func (j *judge) created(name string) {
	if j.below == nil {
		j.below = make(map[string]string)
	}
	for dir := parent(name); dir != ""; dir = parent(dir) {
		if _, ok := j.below[dir]; ok {
			return // then those above are there too
		}
		j.below[dir] = name
	}
}

// blocker returns the ref that keeps the i-th update from creating name, or "".
func (j *judge) blocker(i int, name string) (string, error) {
	for dir := parent(name); dir != ""; dir = parent(dir) {
		if p, ok := j.change[dir]; ok && p.creates {
			if p.at < i {
				return dir, nil
			}
			continue // that one is blocked by this, or conflicts
		}
		exists, err := j.exists(dir)
		if err != nil {
			return "", err
		}
		if exists && !j.change[dir].deletes {
			return dir, nil
		}
	}
	if by, ok := j.below[name]; ok {
		return by, nil
	}
	var found string
	err := j.refs.Below(name, func(ref string) bool {
		if j.change[ref].deletes {
			return true
		}
		found = ref
		return false
	})
	return found, err
}

func (j *judge) exists(name string) (bool, error) {
	if known, ok := j.above[name]; ok {
		return known, nil
	}
	target, err := j.refs.Target(name)
	if err != nil {
		return false, err
	}
	j.above[name] = !target.IsZero()
	return !target.IsZero(), nil
}

// parent returns the directory of a ref name, "" at the top.
func parent(name string) string {
	return name[:max(strings.LastIndexByte(name, '/'), 0)]
}
