package transfer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

const (
	heads          = "refs/heads/"
	atomicFailure  = "atomic push failure"
	internalReason = "failed to update ref: internal error on the server"
)

// judge refuses what can be refused before the pack is read.
func (x *receive) judge() {
	times := make(map[string]int, len(x.push.Commands))
	for _, c := range x.push.Commands {
		times[c.Name]++
	}
	longest := orDefault(x.server.Limits.RefName, DefaultLimits.RefName)
	signed := x.push.Certificate != nil && !slices.Equal(x.push.CertificateOptions(), x.push.Options)
	for _, asked := range x.push.Commands {
		c := &command{RefUpdate: repo.RefUpdate{Name: asked.Name, Old: asked.Old, New: asked.New}}
		x.commands = append(x.commands, c)
		deletes := c.New.IsZero()
		switch {
		case signed:
			c.refuse("inconsistent push options")
		case funny(c.Name):
			c.refuse("funny refname")
		case len(c.Name) > longest && !deletes:
			c.refuse("name is longer than %d bytes", longest)
		case times[c.Name] > 1:
			c.refuse("multiple updates of one ref in a push are not allowed")
		case x.view.hidden(c.Name) && deletes:
			c.refuse("deny deleting a hidden ref")
		case x.view.hidden(c.Name):
			c.refuse("deny updating a hidden ref")
		case deletes && c.Name == x.view.state.Head:
			c.refuse("deletion of the current branch prohibited")
		}
	}
}

// funny reports names that no ref of the repository may have.
func funny(name string) bool {
	return git.CheckRefName(name) != nil || !strings.HasPrefix(name, "refs/") || strings.Count(name, "/") >= repo.MaxRefDepth
}

// execute carries out what is not refused.
func (x *receive) execute(ctx context.Context) error {
	if err := x.compare(ctx); err != nil {
		return x.failAll(err)
	}
	if err := x.targets(ctx); err != nil {
		return x.failAll(err)
	}
	event, err := x.accept(ctx)
	if err != nil {
		return x.failAll(err)
	}
	atomic := x.push.Capabilities.Has("atomic")
	if atomic && x.anyRefused() {
		x.refuseAll(atomicFailure)
		return nil
	}
	return x.commit(ctx, atomic, event)
}

// compare refuses commands that do not start from what the repository has. The
// commit compares again; here the client gets a better reason, and Accept is
// not asked about what cannot be.
func (x *receive) compare(ctx context.Context) error {
	for _, c := range x.commands {
		if c.reason != "" {
			continue
		}
		ref, exists := x.view.find(c.Name)
		switch {
		case !exists && c.New.IsZero():
			// Git lets a deletion pass that finds nothing, unless the client saw
			// the ref at an object of ours: then somebody else was faster.
			if known, err := x.knows(ctx, c.Old); err != nil {
				return err
			} else if known {
				c.refuse("reference does not exist any more; fetch first")
				continue
			}
			x.say("warning: deleting a non-existent ref: " + c.Name)
			c.noop = true
		case exists && c.Old.IsZero() && !c.New.IsZero():
			c.refuse("reference already exists; fetch first")
		case !exists && !c.Old.IsZero():
			c.refuse("reference does not exist any more; fetch first")
		case ref.Target != c.Old:
			c.refuse("failed to update ref: it has moved meanwhile; fetch first")
		case c.Old == c.New:
			c.noop = true
		}
	}
	return nil
}

// knows reports whether a client may have seen an object here.
func (x *receive) knows(ctx context.Context, id git.ID) (bool, error) {
	if id.IsZero() {
		return false, nil
	}
	k := known{snap: x.snap, view: x.view}
	return k.has(ctx, id)
}

// targets checks what the refs are to point to, and peels it. Objects that are
// merely stored count as missing.
func (x *receive) targets(ctx context.Context) error {
	var targets []git.ID
	var moving []*command
	for _, c := range x.moving() {
		if !c.New.IsZero() {
			targets, moving = append(targets, c.New), append(moving, c)
		}
	}
	unmet, err := x.server.Unmet(ctx, x.snap, x.staged, targets)
	if err != nil {
		return err
	}
	missing := make(map[git.ID]bool, len(unmet))
	for _, id := range unmet {
		missing[id] = true
	}
	for _, c := range moving {
		if missing[c.New] {
			c.refuse("missing necessary objects")
			continue
		}
		peeled, kind, err := x.server.Store.Peel(ctx, x.snap, x.staged, c.New)
		switch {
		case errors.Is(err, git.ErrNotFound):
			c.refuse("missing necessary objects")
		case err != nil:
			return err
		case strings.HasPrefix(c.Name, heads) && (kind != git.KindCommit || !peeled.IsZero()):
			c.refuse("trying to write a non-commit object to a branch")
		}
		c.Peeled = peeled
	}
	return nil
}

// accept asks the caller.
func (x *receive) accept(ctx context.Context) (event func([]repo.RefUpdate) *repo.Event, err error) {
	if x.options.Accept == nil || len(x.moving()) == 0 {
		return nil, nil
	}
	p := &Push{Atomic: x.push.Capabilities.Has("atomic"), Options: x.push.Options, Certificate: x.push.Certificate}
	if p.Certificate != nil {
		nonce, found := x.push.CertificateHeader("nonce")
		p.NonceStatus, p.NonceSlop = x.server.checkNonce(x.view.state.ID, nonce, found, x.nonce, x.options.Stateless)
	}
	for _, c := range x.commands {
		p.Commands = append(p.Commands, c.RefUpdate)
	}
	refuse, event, err := x.options.Accept(ctx, p)
	if err != nil {
		return nil, err
	}
	for i, c := range x.commands {
		if i < len(refuse) && refuse[i] != "" {
			c.refuse("%s", refuse[i])
		}
	}
	return event, nil
}

// moving returns the commands that neither are refused nor have nothing to do.
func (x *receive) moving() []*command {
	var moving []*command
	for _, c := range x.commands {
		if c.reason == "" && !c.noop {
			moving = append(moving, c)
		}
	}
	return moving
}

// maxCommits bounds how often a push that is not atomic is tried again without
// the refs that moved meanwhile.
const maxCommits = 8

func (x *receive) commit(ctx context.Context, atomic bool, event func([]repo.RefUpdate) *repo.Event) error {
	moveHead := true
	for tries := 0; ; tries++ {
		moving := x.moving()
		if len(moving) == 0 {
			return nil
		}
		if tries == maxCommits {
			x.refuseAll("failed to update ref: others are pushing to it all the time; try again")
			return nil
		}
		change := x.change(ctx, moving, event)
		if !moveHead {
			change.Head = nil
		}
		version, err := x.server.Store.Commit(ctx, change)
		var conflict *repo.Conflict
		switch {
		case err == nil:
			x.report.Version, x.report.Moved = version, change.Refs
			return nil
		case errors.As(err, &conflict):
			x.conflict(moving, conflict)
			if atomic {
				x.refuseAll(atomicFailure)
			}
		case errors.Is(err, repo.ErrOutOfDate) && change.Head != nil:
			moveHead = false // somebody else pointed HEAD elsewhere: so be it
		case errors.Is(err, repo.ErrUnknown):
			x.refuseAll("the server lost sight of whether the ref was updated; fetch to see")
			return err
		default:
			return x.failAll(err)
		}
	}
}

func (x *receive) change(ctx context.Context, moving []*command, event func([]repo.RefUpdate) *repo.Event) *repo.Change {
	change := &repo.Change{
		Repository: x.view.state.ID, Who: x.options.Who, Why: "push", Time: time.Now(), Head: x.firstHead(ctx, moving),
	}
	if x.staged != nil {
		change.Add = []repo.Pack{x.staged.Pack}
	}
	for _, c := range moving {
		change.Refs = append(change.Refs, c.RefUpdate)
	}
	if event != nil {
		change.Event = event(change.Refs)
	}
	return change
}

// firstHead points HEAD at one of the first branches of a repository, if its
// own is not among them: where it points to a branch that nobody has, a clone
// checks nothing out.
func (x *receive) firstHead(ctx context.Context, moving []*command) *repo.HeadUpdate {
	for range x.view.state.Refs.Prefix(heads) {
		return nil
	}
	var created []*command
	for _, c := range moving {
		if strings.HasPrefix(c.Name, heads) && !c.New.IsZero() {
			created = append(created, c)
		}
	}
	for _, name := range []string{x.view.state.Head, heads + "main", heads + "master"} {
		if slices.ContainsFunc(created, func(c *command) bool { return c.Name == name }) {
			return headUpdate(x.view.state.Head, name)
		}
	}
	return headUpdate(x.view.state.Head, x.newest(ctx, created))
}

// headUpdate returns the move of HEAD, nil if there is nothing to move.
func headUpdate(from, to string) *repo.HeadUpdate {
	if to == "" || to == from {
		return nil
	}
	return &repo.HeadUpdate{Old: from, New: to}
}

// maxCompared bounds the branches whose commits are read to choose one.
const maxCompared = 1000

// newest returns the name of the branch whose commit is the latest, the first of
// them by name; "" if there is none. HEAD is a convenience: a commit that can't
// be read here does not hinder the push.
func (x *receive) newest(ctx context.Context, branches []*command) string {
	objects, done, err := x.server.Store.Preview(ctx, x.snap, x.staged)
	if err != nil {
		return ""
	}
	defer done()
	name, latest := "", int64(0)
	for _, c := range branches[:min(len(branches), maxCompared)] {
		_, data, err := objects.Object(ctx, c.New)
		if err != nil {
			continue
		}
		_, _, seconds, err := git.CommitLinks(x.format, data, nil)
		if err == nil && (name == "" || seconds > latest || seconds == latest && c.Name < name) {
			name, latest = c.Name, seconds
		}
	}
	return name
}

// conflict refuses the commands that a commit found to be out of date.
func (x *receive) conflict(moving []*command, conflict *repo.Conflict) {
	known := make(map[string]repo.ConflictRef, len(conflict.Refs))
	for _, r := range conflict.Refs {
		known[r.Name] = r
	}
	hit := false
	for _, c := range moving {
		r, ok := known[c.Name]
		switch {
		case !ok:
			continue
		case r.Blocker != "":
			c.refuse("refname conflict: %s exists", r.Blocker)
		default:
			c.refuse("failed to update ref: it has moved meanwhile; fetch first")
		}
		hit = true
	}
	if !hit { // never by contract, and it must not go on for ever
		x.refuseAll(internalReason)
	}
}

func (x *receive) anyRefused() bool {
	return slices.ContainsFunc(x.commands, func(c *command) bool { return c.reason != "" })
}

func (x *receive) refuseAll(reason string) {
	for _, c := range x.commands {
		c.refuse("%s", reason)
	}
}

// failAll refuses everything for an error that is not the client's fault, or
// that Accept returned.
func (x *receive) failAll(err error) error {
	reason := internalReason
	var r *refusal
	switch {
	case errors.As(err, &r):
		reason = r.msg
	case errors.Is(err, repo.ErrFull):
		reason = "failed to update ref: " + repo.ErrFull.Error()
	case errors.Is(err, repo.ErrInvalid):
		reason = "failed to update ref: " + err.Error() // it speaks of the client's own names and numbers
	case errors.Is(err, repo.ErrOutOfDate):
		reason = "failed to update ref: the repository has changed meanwhile; try again"
	}
	x.refuseAll(reason)
	return err
}
