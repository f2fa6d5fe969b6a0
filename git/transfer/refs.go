package transfer

import (
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// view is what a client may see of a repository's refs. It never copies them:
// there may be a million.
type view struct {
	state *repo.State
	hide  func(name string) bool // may be nil
}

func (v view) hidden(name string) bool { return v.hide != nil && v.hide(name) }

// all walks the visible refs, sorted by name.
func (v view) all() iter.Seq[repo.Ref] { return v.among(v.state.Refs) }

func (v view) among(refs []repo.Ref) iter.Seq[repo.Ref] {
	return func(yield func(repo.Ref) bool) {
		for i := range refs {
			if !v.hidden(refs[i].Name) && !yield(refs[i]) {
				return
			}
		}
	}
}

// find returns a visible ref by its full name; HEAD has the target of the ref it points to.
func (v view) find(name string) (repo.Ref, bool) {
	if name == "HEAD" {
		ref, ok := v.find(v.state.Head)
		ref.Name = "HEAD"
		return ref, ok
	}
	i, ok := slices.BinarySearchFunc(v.state.Refs, name, func(r repo.Ref, name string) int {
		return strings.Compare(r.Name, name)
	})
	if !ok || v.hidden(name) {
		return repo.Ref{}, false
	}
	return v.state.Refs[i], true
}

// expand returns the visible refs that a short name may stand for, as
// gitrevisions(7) lists them.
func (v view) expand(name string) []repo.Ref {
	var found []repo.Ref
	for _, rule := range [][2]string{{"", ""}, {"refs/", ""}, {"refs/tags/", ""}, {"refs/heads/", ""},
		{"refs/remotes/", ""}, {"refs/remotes/", "/HEAD"}} {
		full := rule[0] + name + rule[1]
		if full != "HEAD" && !strings.HasPrefix(full, "refs/") {
			continue
		}
		if ref, ok := v.find(full); ok {
			found = append(found, ref)
		}
	}
	return found
}

// matching walks the visible refs that start with any of the prefixes, sorted
// by name, each once; no prefix means all. Its cost grows with what it yields.
func (v view) matching(prefixes []string) iter.Seq[repo.Ref] {
	if len(prefixes) == 0 {
		return v.all()
	}
	sorted := slices.Clone(prefixes)
	slices.Sort(sorted)
	return func(yield func(repo.Ref) bool) {
		kept := "\x00" // starts nothing
		for _, prefix := range sorted {
			// A prefix that another one starts is a part of that one's range,
			// and follows it in the order.
			if strings.HasPrefix(prefix, kept) {
				continue
			}
			kept = prefix
			refs := v.state.Refs
			refs = refs[sort.Search(len(refs), func(i int) bool { return refs[i].Name >= prefix }):]
			refs = refs[:sort.Search(len(refs), func(i int) bool { return !strings.HasPrefix(refs[i].Name, prefix) })]
			for ref := range v.among(refs) {
				if !yield(ref) {
					return
				}
			}
		}
	}
}

// notTips returns those of the ids that no visible ref points to, directly or
// by an annotated tag.
func (v view) notTips(ids []git.ID) []git.ID {
	// A few ids are compared one by one: a map would cost more per ref.
	const few = 4
	if len(ids) <= few {
		missing := slices.Clone(ids)
		for ref := range v.all() {
			if len(missing) == 0 {
				break
			}
			missing = slices.DeleteFunc(missing, func(id git.ID) bool { return id == ref.Target || id == ref.Peeled })
		}
		return missing
	}
	missing := make(map[git.ID]bool, len(ids))
	for _, id := range ids {
		missing[id] = true
	}
	for ref := range v.all() {
		if len(missing) == 0 {
			break
		}
		delete(missing, ref.Target)
		delete(missing, ref.Peeled)
	}
	var left []git.ID
	for _, id := range ids {
		if missing[id] {
			left = append(left, id)
		}
	}
	return left
}

// tips returns the targets of the visible refs, each once.
func (v view) tips() []git.ID {
	seen := make(map[git.ID]bool)
	var tips []git.ID
	for ref := range v.all() {
		if !seen[ref.Target] {
			seen[ref.Target] = true
			tips = append(tips, ref.Target)
		}
	}
	return tips
}
