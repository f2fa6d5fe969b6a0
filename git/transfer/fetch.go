package transfer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
	"github.com/ingot-forge/ingot/git/wire"
)

// fetchV2 serves the fetch command: acknowledgments while the client still
// negotiates, and else the sections up to the pack.
func (u *upload) fetchV2(ctx context.Context) error {
	q, err := wire.ReadFetch(u.in, u.format, u.server.Limits.fetch())
	if err != nil {
		return err
	}
	if q.SidebandAll {
		u.out.Mark(wire.BandData)
	}
	wanted, err := u.wantedRefs(q)
	if err != nil {
		return err
	}
	if len(q.Wants) == 0 && !q.WaitForDone {
		return nil
	}
	if err := u.admit(ctx, q.Wants); err != nil {
		return err
	}
	common, err := u.common(ctx, q.Haves)
	if err != nil {
		return err
	}
	if len(q.Haves) > 0 && !q.Done {
		ready, err := u.acknowledge(ctx, q, common)
		if err != nil || !ready {
			return err
		}
	}
	cut, err := u.shallow(ctx, q)
	if err != nil {
		return err
	}
	// In the order of gitprotocol-v2(5), which clients insist on; stock git's
	// server has these two the other way round.
	if q.Deepens() || len(q.Shallow) > 0 {
		u.out.Line("shallow-info")
		u.shallowLines(cut)
		u.out.Delim()
	}
	if len(wanted) > 0 {
		u.out.Line("wanted-refs")
		for i, name := range q.WantRefs {
			u.out.Ref(u.format, wanted[i], name, "")
		}
		u.out.Delim()
	}
	request, err := u.request(ctx, q, common, cut)
	if err != nil {
		return err
	}
	u.out.Line("packfile")
	if err := u.out.Send(); err != nil {
		return err
	}
	return u.sendPack(ctx, request, packOptions{
		largeBand: true, ofsDelta: q.OfsDelta, progress: !q.NoProgress, includeTag: q.IncludeTag,
	})
}

// wantedRefs adds the targets of want-ref lines to the wants and returns them.
func (u *upload) wantedRefs(q *wire.Fetch) ([]git.ID, error) {
	var targets []git.ID
	for _, name := range q.WantRefs {
		ref, ok := u.view.find(name)
		if !ok {
			return nil, refusef("unknown ref %.200s", name)
		}
		targets = append(targets, ref.Target)
	}
	q.Wants = append(q.Wants, targets...)
	return targets, nil
}

// acknowledge writes the section of that name. ready is true when the pack follows in
// the same answer.
func (u *upload) acknowledge(ctx context.Context, q *wire.Fetch, common []git.ID) (ready bool, err error) {
	u.out.Line("acknowledgments")
	if len(common) == 0 {
		u.out.Line("NAK")
	}
	for _, id := range common {
		u.out.Line("ACK " + u.format.Hex(id))
	}
	if !q.WaitForDone && len(common) > 0 {
		from, err := derived(ctx, u.snap)
		if err != nil {
			return false, err
		}
		ready, err = history.ReadyToSend(ctx, u.snap, u.format, q.Wants, common, from)
		if err != nil {
			return false, err
		}
	}
	if ready {
		u.out.Line("ready")
		u.out.Delim()
		return true, nil
	}
	u.out.Flush()
	return false, u.out.Send()
}

// cut is where the client's history ends.
type cut struct {
	shallow             []git.ID // before the fetch
	boundary, unshallow []git.ID // how the fetch changes it
}

// shallow computes how a request moves the client's shallow boundary.
func (u *upload) shallow(ctx context.Context, q *wire.Fetch) (cut, error) {
	var c cut
	// Commits that the server does not have cannot matter to it.
	for _, id := range unique(q.Shallow) {
		kind, _, err := u.snap.Header(ctx, id)
		switch {
		case errors.Is(err, git.ErrNotFound):
		case err != nil:
			return cut{}, err
		case kind != git.KindCommit:
			// Unless the client may know of it, it is as if it were not there.
			known, err := u.known.has(ctx, id)
			if err != nil {
				return cut{}, err
			}
			if !known {
				continue
			}
			return cut{}, refusef("invalid shallow object %s", u.format.Hex(id))
		default:
			c.shallow = append(c.shallow, id)
		}
	}
	if !q.Deepens() {
		return c, nil
	}
	depth := history.Depth{Commits: q.Depth, Relative: q.DeepenRelative, Since: q.DeepenSince}
	if depth.Commits >= history.Infinite {
		// Every other depth counts from what the client may see. This one sends
		// the parents of whatever commit the client calls shallow.
		hidden, err := u.unreachable(ctx, c.shallow)
		if err != nil {
			return cut{}, err
		}
		c.shallow = slices.DeleteFunc(c.shallow, func(id git.ID) bool { return hidden[id] })
	}
	if depth.Relative {
		depth.Tips = u.view.tips()
	}
	for _, name := range q.DeepenNot {
		switch refs := u.view.expand(name); len(refs) {
		case 0:
			return cut{}, refusef("git upload-pack: deepen-not is not a ref: %.200s", name)
		case 1:
			depth.Not = append(depth.Not, refs[0].Target)
		default:
			return cut{}, refusef("git upload-pack: ambiguous deepen-not: %.200s", name)
		}
	}
	from, err := derived(ctx, u.snap)
	if err != nil {
		return cut{}, err
	}
	c.boundary, c.unshallow, err = history.Shallow(ctx, u.snap, u.format, q.Wants, c.shallow, depth, from)
	if errors.Is(err, history.ErrNothingSelected) {
		err = refusef("%s", err.Error())
	}
	return c, err
}

func (u *upload) shallowLines(c cut) {
	for _, id := range c.boundary {
		u.out.Line("shallow " + u.format.Hex(id))
	}
	for _, id := range c.unshallow {
		u.out.Line("unshallow " + u.format.Hex(id))
	}
}

// request puts together what history has to compute.
func (u *upload) request(ctx context.Context, q *wire.Fetch, common []git.ID, c cut) (history.Request, error) {
	from, err := derived(ctx, u.snap)
	if err != nil {
		return history.Request{}, err
	}
	r := history.Request{
		Format: u.format, Wants: unique(q.Wants), Haves: common, Thin: q.ThinPack,
		Shallow: c.shallow, Boundary: c.boundary, Unshallow: c.unshallow,
		Derived: from,
	}
	if q.Filter == "" {
		return r, nil
	}
	var unresolved error
	filter, err := history.ParseFilter(q.Filter, func(name string) (id git.ID, err error) {
		id, unresolved = u.resolve(ctx, name)
		return id, unresolved
	})
	switch {
	case unresolved != nil:
		return r, unresolved
	case err != nil: // a spec that does not parse: the message speaks of the client's own words
		return r, refusef("%.400s", err.Error())
	}
	r.Filter = filter
	return r, nil
}

// resolve finds the object that a sparse filter names: an id that the visible
// refs reach, a ref, or a path in a ref's tree.
func (u *upload) resolve(ctx context.Context, name string) (git.ID, error) {
	if id, err := u.format.Parse(name); err == nil {
		return id, u.admit(ctx, []git.ID{id})
	}
	name, path, hasPath := strings.Cut(name, ":")
	refs := u.view.expand(name)
	if len(refs) == 0 {
		return git.ID{}, refusef("unknown ref %.200s", name)
	}
	if !hasPath {
		return refs[0].Target, nil
	}
	_, id, err := walk(ctx, u.snap, u.format, refs[0].Target, path)
	return id, err
}

// unique drops later repetitions, in place.
func unique(ids []git.ID) []git.ID {
	if len(ids) < 2 {
		return ids
	}
	seen := make(map[git.ID]bool, len(ids))
	return slices.DeleteFunc(ids, func(id git.ID) bool {
		was := seen[id]
		seen[id] = true
		return was
	})
}
