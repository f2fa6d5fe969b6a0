package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
)

// checkNotes is how many ids Check holds in memory at once, about: 50 bytes each. A
// repository with more objects is read several times, each time for the links to
// another part of the ids.
const checkNotes = 8 << 20

// Check verifies a whole repository: every byte of packs and indexes, every
// object's id and form, every link of every object, every ref, all derived data. It calls report
// for each fault, one at a time, and returns their number. progress, which may
// be nil, hears how many objects of all packs have been read. An error
// means that Check could not go on, and says nothing of the repository.
func (s *Store) Check(ctx context.Context, id ID, report func(fault string),
	progress func(done, total int)) (faults int, err error) {
	// A store of its own: what is open already may be a file that was deleted or
	// replaced meanwhile, and what is cached says nothing of what is stored.
	own := New(s.files, s.catalog, s.config)
	defer own.Close()
	snap, err := own.Snapshot(ctx, id)
	if err != nil {
		return 0, err
	}
	defer snap.Close()
	passes := int(snap.objectCount()/checkNotes) + 1
	return own.check(ctx, snap, min(passes, 256), report, progress)
}

func (s *Store) check(ctx context.Context, snap *Snapshot, passes int, report func(string),
	progress func(done, total int)) (faults int, err error) {
	c := check{store: s, snap: snap, report: report, progress: progress, passes: passes}
	err = c.run(ctx)
	return c.faults, err
}

// check is one run of Check.
type check struct {
	store    *Store
	snap     *Snapshot
	report   func(string)
	progress func(done, total int)
	passes   int
	unopened bool // a pack does not open, so nothing can be said of what may be in it

	mu     sync.Mutex // guards faults and report: packs are verified on several goroutines
	faults int
}

func (c *check) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults++
	c.report(fmt.Sprintf(format, args...))
}

func (c *check) run(ctx context.Context) error {
	total := int(c.snap.objectCount()) * c.passes
	for pass := range c.passes {
		if err := c.objects(ctx, pass, total); err != nil {
			return err
		}
	}
	if err := c.refs(ctx); err != nil {
		return err
	}
	return c.derived(ctx)
}

// objects reads all packs, and judges the links to those ids whose first byte
// belongs to the pass. The first pass checks everything else as well.
func (c *check) objects(ctx context.Context, pass, total int) error {
	format := c.snap.state.Format
	links := newLinker(format)
	if c.passes > 1 {
		links.wanted = func(id git.ID) bool { return int(id[0])*c.passes/256 == pass }
	}
	checker := fsck.New(format, nil)
	visit := func(id git.ID, kind git.Kind, data []byte) error {
		err := links.object(id, kind, data)
		if pass > 0 {
			return nil // the first pass has told
		}
		if err := checker.Object(id, kind, data); err != nil {
			c.fault("%v", err)
		}
		if err != nil {
			c.fault("%v", err)
		}
		return nil
	}
	before := total / c.passes * pass
	for place, row := range c.snap.state.Packs {
		fault := func(err error) error {
			if pass == 0 {
				c.fault("pack %s: %v", row.Name, err)
			}
			return nil
		}
		err := c.pack(ctx, place, pass == 0, visit, fault, func(done int) {
			if c.progress != nil {
				c.progress(before+done, total)
			}
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			_ = fault(err)
		}
		before += int(row.Objects)
	}
	if pass == 0 {
		if err := checker.Finish(ctx, c.snap); err != nil {
			c.fault("%v", err)
		}
	}
	return c.links(ctx, links)
}

// pack verifies one pack, and its row if rows is set.
func (c *check) pack(ctx context.Context, place int, rows bool, visit func(git.ID, git.Kind, []byte) error,
	fault func(error) error, progress func(done int)) error {
	p, err := c.snap.pack(ctx, place)
	if err != nil {
		c.unopened = true
		return err
	}
	if rows {
		if err := c.row(ctx, place); err != nil {
			return err
		}
	}
	return p.VerifyAll(ctx, visit, fault, func(done, _ int) { progress(done) })
}

// row compares the row of a pack with the pack.
func (c *check) row(ctx context.Context, place int) error {
	row := c.snap.state.Packs[place]
	p, err := c.snap.pack(ctx, place)
	if err != nil {
		return err
	}
	size := int64(len(row.Data))
	if !row.InRow() {
		file, err := c.store.files.Open(ctx, PackFile(row.Name))
		if err != nil {
			return err
		}
		defer file.Close()
		size = file.Size()
	}
	if size != row.Bytes {
		c.fault("pack %s: file of %d bytes, row says %d", row.Name, size, row.Bytes)
	}
	if n := p.Index().Count(); int64(n) != row.Objects {
		c.fault("pack %s: %d objects, row says %d", row.Name, n, row.Objects)
	}
	if sum := p.Index().PackChecksum(); !bytes.Equal(sum, row.Checksum) {
		c.fault("pack %s: checksum %x, row says %x", row.Name, sum, row.Checksum)
	}
	return nil
}

// links reports every link to what is missing or of another kind.
func (c *check) links(ctx context.Context, links *linker) error {
	if c.unopened {
		return nil
	}
	return links.judge(ctx, c.snap, func(fault error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.fault("%v", fault)
		return nil
	})
}

// refs checks names, order and targets of the refs, and HEAD.
func (c *check) refs(ctx context.Context) error {
	state := c.snap.state
	if err := checkRef(state.Head); err != nil {
		c.fault("HEAD: %v", err)
	}
	last := ""
	for r := range state.Refs.All() {
		if err := checkRef(r.Name); err != nil {
			c.fault("%v", err)
		}
		if last >= r.Name {
			c.fault("ref %q is out of order", r.Name)
		}
		last = r.Name
		for dir := parent(r.Name); dir != ""; dir = parent(dir) {
			if _, ok := state.Refs.Find(dir); ok {
				c.fault("ref %q cannot exist beside %q", r.Name, dir)
			}
		}
		if c.unopened {
			continue
		}
		if err := c.target(ctx, r); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.fault("ref %q: %v", r.Name, err)
		}
	}
	return nil
}

// target checks what a ref points to.
func (c *check) target(ctx context.Context, r Ref) error {
	peeled, kind, err := c.store.Peel(ctx, c.snap, nil, r.Target)
	switch {
	case errors.Is(err, git.ErrNotFound):
		return &MissingError{ID: r.Target}
	case err != nil:
		return err
	case peeled != r.Peeled:
		return fmt.Errorf("target peels to %s, row says %s", peeled, r.Peeled)
	case strings.HasPrefix(r.Name, "refs/heads/") && (kind != git.KindCommit || !peeled.IsZero()):
		return errors.New("a branch that does not point to a commit")
	}
	return nil
}
