package repo

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/pack"
)

// derived verifies what stands beside the packs. That nothing does, or that it
// describes another stack (a fork's, which has the same pack), is no fault.
func (c *check) derived(ctx context.Context) error {
	if c.unopened {
		return nil
	}
	// Whatever is damaged so that it does not open is told while it is looked for.
	c.store.config.Damaged = func(file string, err error) { c.fault("%s: %v", file, err) }
	for place, row := range c.snap.state.Packs {
		if err := c.rev(ctx, place); err != nil && !errors.Is(err, ErrNoFile) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.fault("%s: %v", RevFile(row.Name), err)
		}
	}
	if err := c.graph(ctx); err != nil {
		return err
	}
	index, _, err := c.snap.Bitmaps(ctx)
	if err != nil || index == nil {
		return err
	}
	return c.verified(ctx, "bitmaps", index.Verify(ctx, c.snap))
}

// verified reports an error unless it is that of ctx.
func (c *check) verified(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.fault("%s: %v", what, err)
	}
	return nil
}

// rev verifies the reverse index of one pack.
func (c *check) rev(ctx context.Context, place int) error {
	row := c.snap.state.Packs[place]
	if !c.store.config.derivable(row) {
		return ErrNoFile
	}
	p, err := c.snap.pack(ctx, place)
	if err != nil {
		return err
	}
	data, files, err := readDerived(ctx, c.store.files, c.snap.state.Format, RevFile(row.Name))
	if err != nil {
		return err
	}
	defer closeAll(files)
	rev, err := pack.OpenRev(c.snap.state.Format, data, p.Index())
	if err != nil {
		return err
	}
	return rev.Verify()
}

// graph compares the commit graph with the commits.
func (c *check) graph(ctx context.Context) error {
	graph, err := c.snap.Graph(ctx)
	if err != nil || graph == nil {
		return err
	}
	return c.verified(ctx, "commit graph", c.commits(ctx, graph))
}

func (c *check) commits(ctx context.Context, graph *commitgraph.Graph) error {
	if err := graph.Verify(); err != nil {
		return err
	}
	r := reacher{format: c.snap.state.Format, snap: c.snap}
	var places []uint32
	for at := range graph.Len() {
		id := graph.ID(uint32(at))
		tree, parents, seconds, err := r.links(ctx, id, nil)
		if err != nil {
			return err
		}
		if places, err = graph.AppendParents(places[:0], uint32(at)); err != nil {
			return err
		}
		wrong := tree != graph.Tree(uint32(at)) || len(places) != len(parents) ||
			seconds >= 0 && seconds < 1<<34 && seconds != graph.Seconds(uint32(at))
		for k := 0; !wrong && k < len(places); k++ {
			wrong = graph.ID(places[k]) != parents[k]
		}
		if wrong {
			return fmt.Errorf("commit %s is not as in the pack", id)
		}
	}
	return nil
}
