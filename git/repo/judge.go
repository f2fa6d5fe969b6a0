package repo

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/ingot-forge/ingot/git"
)

// What follows belongs to the linker and comes when all objects have been seen,
// on one goroutine.

// outside returns the objects that are named and were not seen: commits, and the
// number of all.
func (l *linker) outside() (commits []git.ID, all int) {
	_ = l.ledger.each(func(n *note) error {
		if n.named != 0 && n.kind == 0 {
			all++
			if n.named == 1<<git.KindCommit {
				commits = append(commits, n.id)
			}
		}
		return nil
	})
	return commits, all
}

// compare spares judge most of its work when the pack changes little. A new
// version of a tree names a thousand ids that the old one names as well; what
// the repository names is there and of the right kind, since it was judged when it came. So
// the old versions are read, which is far fewer reads than looking up every id:
// those of the parents that the repository has, and in them the trees that the
// pack no longer names, because it changes them. What this leaves out costs
// time in judge and in asking what may be leaned on, nothing else.
func (l *linker) compare(ctx context.Context, snap *Snapshot, parents []git.ID) error {
	next := parents
	reads := 2 * (l.trees() + len(next)) // a new tree has about one old version
	for ; len(next) > 0 && reads > 0; reads-- {
		id := next[0]
		next = next[1:]
		kind, data, err := snap.Object(ctx, id)
		switch {
		case errors.Is(err, git.ErrNotFound):
			continue // judge will say so
		case err != nil:
			return err
		case kind == git.KindCommit:
			tree, _, _, err := git.CommitLinks(l.format, data, nil)
			if err != nil {
				return fmt.Errorf("commit %s: %w", id, err)
			}
			next = append(next, tree)
		case kind == git.KindTree:
			for e, err := range git.Entries(l.format, data) {
				if err != nil {
					return fmt.Errorf("tree %s: %w", id, err)
				}
				kind, ok := entryKind(e.Mode)
				if !ok {
					continue
				}
				if n := l.ledger.find(e.ID); n != nil {
					n.known |= 1 << kind
				} else if kind == git.KindTree {
					next = append(next, e.ID)
				}
			}
		}
	}
	return nil
}

// trees is the number of trees seen.
func (l *linker) trees() (n int) {
	for _, c := range l.idle { // all are idle by now
		n += c.trees
	}
	return n
}

// judge calls fault for every id that is named but is neither an object seen nor
// one of snap, or is of another kind than it is named as, or cannot be read. It
// returns the first error of fault.
func (l *linker) judge(ctx context.Context, snap *Snapshot, fault func(error) error) error {
	return l.ledger.each(func(n *note) error {
		if n.named&^n.known == 0 {
			return nil
		}
		kind, err := n.kind, error(nil)
		switch {
		case kind != 0:
		case n.alien:
			err = git.NotFound(n.id)
		default:
			kind, _, err = snap.Header(ctx, n.id)
		}
		want := git.Kind(bits.TrailingZeros8(n.named))
		switch {
		case errors.Is(err, git.ErrNotFound):
			missing := &MissingError{ID: n.id, Kind: want}
			missing.From, missing.FromKind = l.ledger.from(n)
			return fault(missing)
		case err != nil:
			return fault(err)
		case n.named != 1<<kind:
			if want == kind { // named as two kinds, of which one is right
				want = git.Kind(bits.TrailingZeros8(n.named &^ (1 << kind)))
			}
			wrong := &KindError{ID: n.id, Want: want, Kind: kind}
			wrong.From, wrong.FromKind = l.ledger.from(n)
			return fault(wrong)
		}
		return nil
	})
}

// MissingError says that an object names one that is not there.
type MissingError struct {
	ID   git.ID   // what is missing
	Kind git.Kind // what it is named as; 0 for the target of a ref
	// From is what names it; zero for the target of a ref, and where Check does
	// not remember.
	From     git.ID
	FromKind git.Kind
}

func (e *MissingError) Error() string {
	switch {
	case e.Kind == 0:
		return fmt.Sprintf("missing object %s", e.ID)
	case e.From.IsZero():
		return fmt.Sprintf("missing %s %s", e.Kind, e.ID)
	}
	return fmt.Sprintf("%s %s names missing %s %s", e.FromKind, e.From, e.Kind, e.ID)
}

// Is makes a MissingError match git.ErrNotFound.
func (e *MissingError) Is(target error) bool { return target == git.ErrNotFound }

// KindError says that an object is not of the kind that another names it as.
type KindError struct {
	ID         git.ID
	Want, Kind git.Kind // what it is named as, and what it is
	From       git.ID   // an object that names it, though perhaps another one is wrong
	FromKind   git.Kind
}

func (e *KindError) Error() string {
	if e.From.IsZero() {
		return fmt.Sprintf("%s is named as a %s, but it is a %s", e.ID, e.Want, e.Kind)
	}
	return fmt.Sprintf("%s %s names %s as a %s, but it is a %s", e.FromKind, e.From, e.ID, e.Want, e.Kind)
}
