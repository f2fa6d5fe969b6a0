package merge

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// PickOptions say how to take over what a commit did.
type PickOptions struct {
	Options
	// Mainline is the parent, from 1, against which a merge is to be seen. Commits
	// with one parent take 0 or 1.
	Mainline int
	// Origin has CherryPick's message say where it comes from, as -x does.
	Origin bool
}

// Pick is a commit that could be made.
type Pick struct {
	*Result
	// Message is what git proposes to say.
	Message string
	// Empty is set if the tree is the same as that of the commit it goes on top of.
	Empty bool
}

// CherryPick does on top of a commit what another one did. A commit that is a merge
// needs a Mainline. It fails as Trees does.
func CherryPick(ctx context.Context, commits *ancestry.Commits, commit, onto git.ID, o PickOptions) (*Pick, error) {
	p, err := newPicker(ctx, commits, commit, onto, o)
	if err != nil {
		return nil, err
	}
	message := p.message
	if o.Origin {
		message = withOrigin(message, p.format.Hex(commit))
	}
	return p.merge(p.before, p.after, p.parentLabel(), p.label, message)
}

// Revert undoes on top of a commit what another one did. It fails as CherryPick does.
func Revert(ctx context.Context, commits *ancestry.Commits, commit, onto git.ID, o PickOptions) (*Pick, error) {
	p, err := newPicker(ctx, commits, commit, onto, o)
	if err != nil {
		return nil, err
	}
	message := "Revert \"" + p.subject + "\"\n\nThis reverts commit " + p.format.Hex(commit)
	if p.isMerge {
		message += ", reversing\nchanges made to " + p.format.Hex(p.parent)
	}
	return p.merge(p.after, p.before, p.label, "parent of "+p.label, message+".\n")
}

// picker knows what a commit did.
type picker struct {
	*store
	o                Options
	onto             git.ID // a tree
	before, after    git.ID // trees
	parent           git.ID // the one looked at; zero if there is none
	isMerge          bool
	message, subject string
	label            string
}

func newPicker(ctx context.Context, commits *ancestry.Commits, commit, onto git.ID, o PickOptions) (*picker, error) {
	p := &picker{store: newStore(ctx, commits.Objects(), commits.Format()), o: o.Options}
	target, err := commits.Find(ctx, onto)
	if err != nil {
		return nil, err
	}
	p.onto = commits.Tree(target)
	return p, p.look(commits, commit, o.Mainline)
}

// look finds out what a commit did.
func (p *picker) look(commits *ancestry.Commits, commit git.ID, mainline int) error {
	n, err := commits.Find(p.ctx, commit)
	if err != nil {
		return err
	}
	c, err := commits.Read(p.ctx, n)
	if err != nil {
		return err
	}
	p.isMerge = len(c.Parents) > 1
	if p.isMerge && mainline == 0 {
		return fmt.Errorf("commit %s is a merge: it takes a mainline", commit)
	}
	if mainline > max(len(c.Parents), 1) || mainline < 0 {
		return fmt.Errorf("commit %s does not have parent %d", commit, mainline)
	}
	p.parent, p.before, p.after = git.ID{}, git.ID{}, c.Tree
	if len(c.Parents) > 0 {
		p.parent = c.Parents[max(mainline-1, 0)]
		parent, err := commits.Find(p.ctx, p.parent)
		if err != nil {
			return err
		}
		p.before = commits.Tree(parent)
	}
	p.message = withoutBlankStart(c.Message)
	p.subject = firstLine(p.message)
	p.label = p.o.abbreviate(p.format, commit) + " (" + p.subject + ")"
	return nil
}

func (p *picker) parentLabel() string {
	if p.parent.IsZero() {
		return "(empty tree)"
	}
	return "parent of " + p.label
}

func (p *picker) merge(from, to git.ID, fromLabel, toLabel, message string) (*Pick, error) {
	o := p.o
	setDefault(&o.Ours, "HEAD")
	setDefault(&o.Theirs, toLabel)
	setDefault(&o.Base, fromLabel)
	r, err := p.store.merge([3]git.ID{from, p.onto, to}, o.withDefaults(), 0)
	if err != nil {
		return nil, err
	}
	return &Pick{Result: r, Message: message, Empty: r.Tree == p.onto}, nil
}

// Squash merges as Commits does, to be committed as if it had been done at once: the
// message lists what is new, as that of git merge --squash.
func Squash(ctx context.Context, commits *ancestry.Commits, ours, theirs git.ID, o Options) (*Pick, error) {
	r, err := Commits(ctx, commits, ours, theirs, o)
	if err != nil {
		return nil, err
	}
	message, err := squashMessage(ctx, commits, ours, theirs, &o)
	if err != nil {
		return nil, err
	}
	n, err := commits.Find(ctx, ours)
	if err != nil {
		return nil, err
	}
	return &Pick{Result: r, Message: message, Empty: r.Tree == commits.Tree(n)}, nil
}

// MaxReplay is how many commits Rebase replays, and how many it looks at on the
// other side for those that are there already; it bounds Squash's list, too.
const MaxReplay = 10_000

// Step is a commit that Rebase takes over.
type Step struct {
	Commit git.ID // the original
	Fate   Fate
	// Pick is what to commit, by the author of the original: nil unless Fate is
	// Replayed or Stopped.
	*Pick
	Author git.Signature
}

// Fate says what becomes of a commit.
type Fate uint8

// The fates.
const (
	Replayed Fate = iota
	Kept          // it is where it should be: the commit itself stays
	Present       // the other side has a commit that does the same
	Emptied       // what it did is there already
	Stopped       // there are conflicts; the steps behind it are not looked at
)

// Rebase replays the commits that branch has and upstream lacks on top of onto, one after
// the other, as git rebase does: merges are left out, and so is what upstream has
// got by other commits. Steps come in the order in which to commit. It ends
// behind a step that Stopped. It fails as Trees does.
func Rebase(ctx context.Context, commits *ancestry.Commits, upstream, branch, onto git.ID, o Options) ([]Step, error) {
	own, others, err := division(ctx, commits, upstream, branch)
	if err != nil {
		return nil, err
	}
	present, err := alreadyPresent(ctx, commits, own, others)
	if err != nil {
		return nil, err
	}
	target, err := commits.Find(ctx, onto)
	if err != nil {
		return nil, err
	}
	p := &picker{store: newStore(ctx, commits.Objects(), commits.Format()), o: o, onto: commits.Tree(target)}
	var steps []Step
	tip := onto // while commits are kept; then zero
	for _, c := range slices.Backward(own) {
		if present[c.ID] {
			steps = append(steps, Step{Commit: c.ID, Fate: Present})
			continue
		}
		if !tip.IsZero() && len(c.Parents) == 1 && c.Parents[0] == tip {
			tip, p.onto = c.ID, c.Tree
			steps = append(steps, Step{Commit: c.ID, Fate: Kept})
			continue
		}
		tip = git.ID{}
		step, err := p.replay(commits, c.ID)
		if err != nil {
			return nil, err
		}
		if steps = append(steps, step); step.Fate == Stopped {
			break
		}
	}
	return steps, nil
}

// replay takes over one commit, and goes on from there.
func (p *picker) replay(commits *ancestry.Commits, commit git.ID) (Step, error) {
	if err := p.look(commits, commit, 0); err != nil {
		return Step{}, err
	}
	n, err := commits.Find(p.ctx, commit)
	if err != nil {
		return Step{}, err
	}
	c, err := commits.Read(p.ctx, n)
	if err != nil {
		return Step{}, err
	}
	pick, err := p.merge(p.before, p.after, p.parentLabel(), p.label, p.message)
	if err != nil {
		return Step{}, err
	}
	step := Step{Commit: commit, Pick: pick, Author: c.Author}
	switch {
	case !pick.Clean:
		step.Fate = Stopped
	case pick.Empty && p.before != p.after: // one that never did anything is replayed
		step.Fate, step.Pick = Emptied, nil
	default:
		p.onto = pick.Tree
	}
	return step, nil
}
