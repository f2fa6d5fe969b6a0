package repo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/git/pack"
)

// CompactOptions say what Compact joins.
type CompactOptions struct {
	All   bool // every pack, whatever the sizes, also a single one that was never joined
	Least int  // do nothing if fewer packs than this would be joined, unless derived data are due; 2
	// Progress, which may be nil, hears how far each phase is: "walking", "searching deltas", "joining",
	// "verifying", "commit graph", "bitmaps". A phase may come several times.
	Progress func(phase string, done, total int)
}

// Compact joins small packs of a repository, so that each pack that remains is at least
// twice as large as all after it together, and writes derived data where they are
// missing. Nothing is lost that a ref reaches or reached within twice
// Config.Grace; other objects are left out where packs are written anew (see
// docs/decisions/0017-pruning.md). It may run beside anything. Of two that join the same packs, the later fails with
// ErrOutOfDate, and its work is thrown away. After any other error nothing has
// changed either, unless it is ErrUnknown; after a crash, what is left is for Sweep. The
// old files stay for Config.Grace, for those who read them.
//
// It does one step of bounded size; CompactReport.Left says whether another
// is due, and an interruption costs no more than the step.
//
// Before the old packs are dropped the new one is read back, and the id of every object in
// it computed: see docs/decisions/0013-compaction.md.
func (s *Store) Compact(ctx context.Context, id ID, o CompactOptions) (CompactReport, error) {
	snap, err := s.Snapshot(ctx, id)
	if err != nil {
		return CompactReport{}, err
	}
	defer snap.Close()
	c := compaction{store: s, snap: snap, options: o}
	if err := c.plan(ctx); err != nil {
		return CompactReport{}, err
	}
	if err := c.run(ctx); err != nil {
		return CompactReport{}, err
	}
	return c.report, nil
}

// compaction is one run of Compact.
type compaction struct {
	store   *Store
	snap    *Snapshot
	options CompactOptions
	order   []int // places in the snapshot's packs, those that others lean on first
	kept    int   // of order, that stay as they are
	derive  bool  // derived data are due
	asItIs  bool  // the only pack would be the same if it were written again
	report  CompactReport
}

// plan decides what to do.
func (c *compaction) plan(ctx context.Context) error {
	packs := c.snap.state.Packs
	c.store.derived.lookAgain(packs)
	stack, err := c.snap.stack(ctx, bitmapLayers)
	if err != nil {
		return err
	}
	graph, err := c.snap.stack(ctx, graphLayers)
	if err != nil {
		return err
	}
	c.order = stacked(packs, stack)
	rows := c.rows()
	planned := planCompaction(rows, c.options.All)
	c.derive = c.store.config.layersDue(rows, planned, len(stack), len(graph) > 0) || c.revsDue(ctx, rows[:planned])
	least := max(c.options.Least, 2)
	if c.derive {
		least = 2
	}
	c.kept = planned
	if len(rows)-planned < least && !(c.options.All && len(rows) == 1) {
		c.kept = len(rows)
	} else {
		c.kept += planStep(rows[planned:])
	}
	c.report.Kept, c.report.Left = c.kept, c.kept-planned
	if c.kept == len(rows) {
		c.report.Left = 0
	}
	return nil
}

// revsDue reports whether a pack lacks a sound reverse index.
func (c *compaction) revsDue(ctx context.Context, rows []Pack) bool {
	for _, row := range rows {
		if row.InRow() || row.Objects < int64(c.store.config.DeriveFrom) {
			continue
		}
		p, err := c.store.packs.acquire(ctx, c.snap.state.Format, &row)
		if err != nil {
			return false // whoever needs the pack will say so
		}
		rev, files := c.store.derived.rev(ctx, c.snap.state.Format, row.Name, p.value.Index())
		closeAll(files)
		c.store.packs.release(p)
		if rev == nil {
			return true
		}
	}
	return false
}

// stacked returns the places of all packs: those of the stack first, and then the
// others as they came, which is the order in which they lean on each other.
func stacked(packs []Pack, stack []int) []int {
	order := append(make([]int, 0, len(packs)), stack...)
	in := make([]bool, len(packs))
	for _, place := range stack {
		in[place] = true
	}
	for place := range packs {
		if !in[place] {
			order = append(order, place)
		}
	}
	return order
}

// rows are those of all packs, in order.
func (c *compaction) rows() []Pack {
	rows := make([]Pack, len(c.order))
	for i, place := range c.order {
		rows[i] = c.snap.state.Packs[place]
	}
	return rows
}

func (c *compaction) run(ctx context.Context) error {
	if c.kept == len(c.order) {
		if c.derive {
			return c.deriveOn(ctx, c.rows())
		}
		return nil
	}
	joined := len(c.order) - c.kept
	j, err := c.joiner(ctx)
	if err != nil {
		return fmt.Errorf("join %d packs: %w", joined, err)
	}
	if c.asItIs {
		c.report.Kept, c.report.Before = 1, 0
		if c.derive {
			return c.deriveOn(ctx, c.rows())
		}
		return nil
	}
	c.report.Joined = joined
	c.report.Objects, c.report.Duplicates, c.report.Unreachable = int64(len(j.state)), int64(j.dropped), int64(j.left)
	if j.objects() == 0 {
		_, err := c.store.Commit(ctx, c.change(nil))
		return err
	}
	staged, err := c.join(ctx, j)
	if err != nil {
		return fmt.Errorf("join %d packs: %w", joined, err)
	}
	err = c.verify(ctx, staged.Pack)
	if err == nil && c.derive && c.report.Left == 0 { // else the next step would make them again
		err = c.deriveOn(ctx, append(c.rows()[:c.kept], staged.Pack))
	}
	if err == nil {
		_, err = c.store.Commit(ctx, c.change([]Pack{staged.Pack}))
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrUnknown) {
		c.discard(context.WithoutCancel(ctx), staged)
	}
	return fmt.Errorf("join %d packs: %w", joined, err)
}

// discard removes what was staged, also when a context is what ended it. What this
// leaves, Sweep takes.
func (c *compaction) discard(ctx context.Context, staged *Staged) {
	_ = staged.Discard(ctx)
	if c.derive {
		for _, file := range []string{RevFile(staged.Pack.Name), BitmapFile(staged.Pack.Name), GraphFile(staged.Pack.Name)} {
			_ = c.store.files.Delete(ctx, file)
		}
	}
}

// joiner opens the packs to be joined, and decides what becomes of their objects.
func (c *compaction) joiner(ctx context.Context) (*joiner, error) {
	var packs []*pack.Pack
	for _, place := range c.order[c.kept:] {
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
	return j, c.prepare(ctx, j)
}

// join stages the joined pack.
func (c *compaction) join(ctx context.Context, j *joiner) (*Staged, error) {
	objects := j.objects()
	j.progress = func(done int) { c.tell("joining", done, objects) }
	staged, err := c.store.stageJoined(ctx, j)
	if err != nil {
		return nil, err
	}
	c.report.Whole, c.report.Deltas = int64(j.whole), int64(j.deltas)
	c.report.After = staged.Pack.Bytes
	return staged, nil
}

// stageJoined writes a joined pack and its index, and publishes both.
func (s *Store) stageJoined(ctx context.Context, j *joiner) (*Staged, error) {
	packed, err := s.files.Draft(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = packed.Discard() // after Publish this does nothing; what it leaves before, Sweep takes
	}()
	row, err := j.write(ctx, packed)
	if err != nil {
		return nil, err
	}
	index, err := s.files.Draft(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = index.Discard() }()
	if err := j.writeIndex(index, row.Checksum); err != nil {
		return nil, err
	}
	var random [NameSize / 2]byte
	rand.Read(random[:]) // never fails
	row.Name = hex.EncodeToString(random[:])
	row.Added = s.config.Clock().UTC().Truncate(time.Microsecond) // before the files have their age
	staged := &Staged{Pack: row, files: s.files}
	if err = packed.Publish(ctx, PackFile(row.Name)); err == nil {
		err = index.Publish(ctx, IndexFile(row.Name))
	}
	if err != nil {
		_ = staged.Discard(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("stage pack: %w", err)
	}
	return staged, nil
}

// verify reads the new pack as others will, all of it.
func (c *compaction) verify(ctx context.Context, row Pack) error {
	p, err := c.store.packs.acquire(ctx, c.snap.state.Format, &row)
	if err != nil {
		return err
	}
	defer c.store.packs.release(p)
	return p.value.Verify(ctx, nil, func(done, total int) { c.tell("verifying", done, total) })
}

func (c *compaction) tell(phase string, done, total int) {
	if c.options.Progress != nil {
		c.options.Progress(phase, done, total)
	}
}

func (c *compaction) change(add []Pack) *Change {
	change := &Change{Repository: c.snap.state.ID, Add: add, Who: "ingot", Why: "compaction"}
	for _, place := range c.order[c.kept:] {
		change.Drop = append(change.Drop, c.snap.state.Packs[place].Name)
	}
	return change
}
