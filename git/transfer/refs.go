package transfer

import (
	"iter"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
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
func (v view) all() iter.Seq[repo.Ref] { return v.among(v.state.Refs.All()) }

func (v view) among(refs iter.Seq[repo.Ref]) iter.Seq[repo.Ref] {
	if v.hide == nil {
		return refs
	}
	return func(yield func(repo.Ref) bool) {
		for ref := range refs {
			if !v.hide(ref.Name) && !yield(ref) {
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
	if v.hidden(name) {
		return repo.Ref{}, false
	}
	return v.state.Refs.Find(name)
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
			for ref := range v.among(v.state.Refs.Prefix(prefix)) {
				if !yield(ref) {
					return
				}
			}
		}
	}
}

// annotated returns the visible annotated tags that peel to one of what is sent, and
// maybe others: whichever is cheaper, of looking up what is sent or walking all.
func (v view) annotated(sent []history.Object) iter.Seq[repo.Ref] {
	const lookup = 8 // of an object, in tags walked past
	if len(sent) > v.state.Refs.Len()/lookup {
		return v.matching([]string{tagPrefix})
	}
	return func(yield func(repo.Ref) bool) {
		for _, o := range sent {
			for ref := range v.among(v.state.Refs.PointingAt(o.ID)) {
				if ref.Peeled == o.ID && strings.HasPrefix(ref.Name, tagPrefix) && !yield(ref) {
					return
				}
			}
		}
	}
}

const tagPrefix = "refs/tags/"

// notTips returns those of the ids that no visible ref points to, directly or
// by an annotated tag.
func (v view) notTips(ids []git.ID) []git.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id git.ID) bool {
		for range v.among(v.state.Refs.PointingAt(id)) {
			return true
		}
		return false
	})
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
