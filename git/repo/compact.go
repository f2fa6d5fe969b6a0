package repo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git/pack"
)

// mostJoined is how many packs are joined at once. Each is open meanwhile, as two
// mapped files; Linux allows a process some 65,000 mappings in all.
const mostJoined = 4096

// CompactOptions say what Compact joins.
type CompactOptions struct {
	All   bool // every pack, whatever the sizes
	Least int  // do nothing if fewer packs than this would be joined; 2
	// Progress, which may be nil, hears how many objects are done: each is written,
	// and then verified.
	Progress func(done, total int)
}

// CompactReport says what Compact did.
type CompactReport struct {
	Joined     int   // packs that became one; 0 if nothing was to be done
	Kept       int   // packs that stay as they are
	Left       int   // of those, such that have to be joined by another Compact
	Objects    int64 // of the packs joined, however often they have them
	Duplicates int64 // of them, that other packs had too
	Whole      int64 // deltas that are none any more: their chains became too long
	Before     int64 // bytes of the packs joined
	After      int64 // bytes of the pack that they became
}

// String explains the report in a line.
func (r CompactReport) String() string {
	switch {
	case r.Joined == 0 && r.Kept == 0:
		return "nothing to join: no packs"
	case r.Joined == 0 && r.Kept == 1:
		return "nothing to join: 1 pack"
	case r.Joined == 0:
		return fmt.Sprintf("nothing to join: %d packs, each at least twice as large as all smaller ones together", r.Kept)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d packs with %d objects in %d bytes became 1 with %d in %d", r.Joined, r.Objects, r.Before,
		r.Objects-r.Duplicates, r.After)
	if r.Whole > 0 {
		fmt.Fprintf(&b, "; %d deltas made whole", r.Whole)
	}
	if larger := r.Kept - r.Left; larger > 0 {
		fmt.Fprintf(&b, "; %d larger kept", larger)
	}
	if r.Left > 0 {
		fmt.Fprintf(&b, "; %d left for the next time", r.Left)
	}
	return b.String()
}

// Compact joins small packs of a repository, so that each pack that remains is at least
// twice as large as all smaller ones together. No object is lost, also
// none that nothing reaches, and the repository means the same before and after: it may run
// beside anything. Of two that join the same packs, the later fails with
// ErrOutOfDate, and its work is thrown away. After any other error nothing has
// changed either, unless it is ErrUnknown; after a crash, what is left is for Sweep. The
// old files stay for Config.Grace, for those who read them.
//
// Before the old packs are dropped the new one is read back, and the id of every object in
// it computed: see docs/decisions/0013-compaction.md.
func (s *Store) Compact(ctx context.Context, id ID, o CompactOptions) (CompactReport, error) {
	snap, err := s.Snapshot(ctx, id)
	if err != nil {
		return CompactReport{}, err
	}
	defer snap.Close()
	packs := snap.state.Packs
	places, kept := planCompaction(packs, o.All)
	if len(places) < max(o.Least, 2) {
		return CompactReport{Kept: len(packs)}, nil
	}
	c := compaction{store: s, snap: snap, places: places, progress: o.Progress}
	if left := len(places) - mostJoined; left > 0 {
		c.report.Left = left
		c.places = places[left:] // the smallest
	}
	// Oldest first: thin pushes had to bring a whole copy of what their deltas start
	// from, and that object, older and perhaps a delta itself, is the one to keep.
	slices.Sort(c.places)
	c.report.Joined, c.report.Kept = len(c.places), kept+c.report.Left
	if err := c.run(ctx); err != nil {
		return CompactReport{}, fmt.Errorf("join %d packs: %w", len(c.places), err)
	}
	return c.report, nil
}

// compaction is one run of Compact.
type compaction struct {
	store    *Store
	snap     *Snapshot
	places   []int // in the snapshot's packs, of those to be joined, oldest first
	report   CompactReport
	progress func(done, total int)
}

func (c *compaction) run(ctx context.Context) error {
	staged, err := c.join(ctx)
	if err != nil {
		return err
	}
	err = c.verify(ctx, staged.Pack)
	if err == nil {
		_, err = c.store.Commit(ctx, c.change(staged.Pack))
	}
	if err != nil && !errors.Is(err, ErrUnknown) {
		// Also when ctx is what ended it. What this leaves, Sweep takes.
		_ = staged.Discard(context.WithoutCancel(ctx))
	}
	return err
}

// join stages the joined pack.
func (c *compaction) join(ctx context.Context) (*Staged, error) {
	var packs []*pack.Pack
	for _, place := range c.places {
		p, err := c.snap.pack(ctx, place)
		if err != nil {
			return nil, err
		}
		row := c.snap.state.Packs[place]
		// What follows relies on the order of the index.
		if err := p.Index().Verify(row.Bytes); err != nil {
			return nil, fmt.Errorf("pack %s: %w", row.Name, err)
		}
		packs = append(packs, p)
		c.report.Before += row.Bytes
	}
	j, err := newJoiner(c.snap.state.Format, packs)
	if err != nil {
		return nil, err
	}
	objects := j.objects()
	j.progress = func(done int) { c.tell(done, 2*objects) }
	draft := c.store.draft(ctx, 0)
	defer func() {
		_ = draft.Discard() // after Publish this does nothing; what it leaves before, Sweep takes
	}()
	row, index, err := j.write(ctx, draft)
	if err != nil {
		return nil, err
	}
	c.report.Objects, c.report.Duplicates = int64(len(j.at)), int64(j.dropped)
	c.report.Whole, c.report.After = int64(j.whole), row.Bytes
	return c.store.publish(ctx, draft, index, row)
}

// verify reads the new pack as others will, all of it.
func (c *compaction) verify(ctx context.Context, row Pack) error {
	p, err := c.store.packs.acquire(ctx, c.snap.state.Format, &row)
	if err != nil {
		return err
	}
	defer c.store.packs.release(p)
	objects := int(row.Objects)
	return p.pack.Verify(ctx, nil, func(done, _ int) { c.tell(objects+done, 2*objects) })
}

func (c *compaction) tell(done, total int) {
	if c.progress != nil {
		c.progress(done, total)
	}
}

func (c *compaction) change(row Pack) *Change {
	change := &Change{Repository: c.snap.state.ID, Add: []Pack{row}, Who: "ingot", Why: "compaction"}
	for _, place := range c.places {
		change.Drop = append(change.Drop, c.snap.state.Packs[place].Name)
	}
	return change
}
