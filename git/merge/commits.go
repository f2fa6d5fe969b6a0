package merge

import (
	"context"
	"errors"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// ErrUnrelated is returned for commits that have no common ancestor.
var ErrUnrelated = errors.New("refusing to merge unrelated histories")

// Commits merges two commits: their trees, with the tree of their merge base. If there
// are several, these are merged first, with whatever conflicts; and so on. It
// fails as Trees does, or with ErrUnrelated.
func Commits(ctx context.Context, commits *ancestry.Commits, ours, theirs git.ID, o Options) (*Result, error) {
	one, err := commits.Find(ctx, ours)
	if err != nil {
		return nil, err
	}
	other, err := commits.Find(ctx, theirs)
	if err != nil {
		return nil, err
	}
	h := histories{store: newStore(ctx, commits.Objects(), commits.Format()), commits: commits, base: o.Base, o: o.withDefaults()}
	h.push(virtual{commits.Tree(one), []ancestry.Node{one}}, virtual{commits.Tree(other), []ancestry.Node{other}})
	return h.run()
}

// histories merges commits, and first the bases that they need.
type histories struct {
	*store
	commits *ancestry.Commits
	o       Options
	base    string // as the caller calls it
	stack   []joining
	pushed  int
}

// virtual is a commit, or a merge of several that nobody made.
type virtual struct {
	tree    git.ID
	commits []ancestry.Node
}

// joining is a merge that waits for its base.
type joining struct {
	ours, theirs virtual
	looked       bool // for the bases
	base         virtual
	label        string
	left         []ancestry.Node // bases to be merged into base
}

func (h *histories) push(ours, theirs virtual) {
	h.stack = append(h.stack, joining{ours: ours, theirs: theirs})
	h.pushed++
}

func (h *histories) run() (*Result, error) {
	for {
		top := &h.stack[len(h.stack)-1]
		if !top.looked {
			if err := h.look(top); err != nil {
				return nil, err
			}
		}
		if len(top.left) > 0 {
			if h.pushed > h.o.Bases {
				return nil, &LimitError{"merge bases", h.o.Bases}
			}
			next := top.left[0]
			top.left = top.left[1:]
			h.push(top.base, virtual{h.commits.Tree(next), []ancestry.Node{next}})
			continue
		}
		depth := len(h.stack) - 1
		r, err := h.join(top, depth)
		if err != nil || depth == 0 {
			return r, err
		}
		merged := virtual{r.Tree, append(slices.Clone(top.ours.commits), top.theirs.commits...)}
		h.stack = h.stack[:depth]
		h.stack[depth-1].base = merged
	}
}

// look finds the bases of a merge: the oldest comes first.
func (h *histories) look(j *joining) error {
	j.looked = true
	one, others := j.ours.commits[0], j.theirs.commits
	if len(j.ours.commits) > 1 {
		one, others = j.theirs.commits[0], j.ours.commits
	}
	bases, err := h.commits.MergeBases(h.ctx, one, others...)
	if err != nil {
		return err
	}
	if len(bases) == 0 {
		if len(h.stack) == 1 && !h.o.Unrelated {
			return ErrUnrelated
		}
		j.label = "empty tree"
		return nil
	}
	slices.Reverse(bases)
	j.base = virtual{h.commits.Tree(bases[0]), bases[:1]}
	j.left = bases[1:]
	j.label = "merged common ancestors"
	if len(bases) == 1 {
		j.label = h.o.abbreviate(h.format, h.commits.ID(bases[0]))
	}
	return nil
}

func (h *histories) join(j *joining, depth int) (*Result, error) {
	o := h.o
	if o.Base = j.label; depth == 0 && h.base != "" {
		o.Base = h.base
	}
	if depth > 0 {
		o.Ours, o.Theirs = "Temporary merge branch 1", "Temporary merge branch 2"
	}
	return h.merge([3]git.ID{j.base.tree, j.ours.tree, j.theirs.tree}, o, depth)
}

// abbreviate shortens an id for a message.
func (o *Options) abbreviate(f git.Format, id git.ID) string {
	if o.Abbreviate != nil {
		return o.Abbreviate(id)
	}
	return f.Hex(id)[:7]
}
