package repo

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// layersDue reports whether derived data are worth being written once the packs
// from kept on have become one: when enough objects lie above the stack
// that there is, or when there is no graph. rows are in the order of the stack.
func (c *Config) layersDue(rows []Pack, kept, stack int, graph bool) bool {
	after := append([]Pack(nil), rows[:kept]...)
	if kept < len(rows) {
		joined := Pack{}
		for _, p := range rows[kept:] {
			joined.Bytes += p.Bytes
			joined.Objects += p.Objects
		}
		after = append(after, joined)
	}
	stack = min(stack, kept)
	objects := int64(0)
	for n, p := range after {
		if !c.derivable(p) {
			break // none above it can have any
		}
		if n >= stack {
			objects += max(p.Objects, int64(c.DeriveFrom)) // few, but large ones count as well
		}
	}
	return objects > 0 && objects >= int64(c.DeriveFrom) || !graph && len(after) > 0 && c.derivable(after[0])
}

// deriveOn writes what is missing beside the packs of a stack, which need not be the
// repository's yet. Of an error other than that of ctx only the report tells: nobody
// depends on derived data.
func (c *compaction) deriveOn(ctx context.Context, rows []Pack) error {
	for n, p := range rows {
		if !c.store.config.derivable(p) {
			rows = rows[:n]
			break
		}
	}
	d := &deriver{compaction: c, format: c.snap.state.Format, rows: rows}
	defer d.close()
	err := d.run(ctx)
	c.report.Derived, c.report.Layers = d.written, len(rows)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.report.Problems = append(c.report.Problems, err.Error())
	}
	return nil
}

// deriver writes the derived data of a stack, each file by itself: what is
// written stays when the rest is interrupted.
type deriver struct {
	*compaction
	format  git.Format
	rows    []Pack // bottom first
	packs   []*heldPack
	files   []*pooled[*packDerived]
	written int
}

func (d *deriver) close() {
	for _, v := range d.files {
		d.store.derived.byPack.release(v)
	}
	for _, p := range d.packs {
		d.store.packs.release(p)
	}
}

func (d *deriver) run(ctx context.Context) error {
	for _, row := range d.rows {
		p, err := d.store.packs.acquire(ctx, d.format, &row)
		if err != nil {
			return err
		}
		d.packs = append(d.packs, p)
	}
	for n := range d.rows {
		if err := d.rev(ctx, n); err != nil {
			return fmt.Errorf("reverse index: %w", err)
		}
	}
	graph, err := d.graph(ctx)
	if err != nil {
		return fmt.Errorf("commit graph: %w", err)
	}
	if err := d.bitmaps(ctx, graph); err != nil {
		return fmt.Errorf("bitmaps: %w", err)
	}
	return nil
}

// publish gives data the name of a derived file, in place of one that was found damaged
// or does not fit any more.
func (d *deriver) publish(ctx context.Context, pack, file string, data []byte) error {
	if err := d.store.files.Delete(ctx, file); err != nil {
		return err
	}
	if err := d.store.publishIndex(ctx, file, data); err != nil {
		return err
	}
	d.store.derived.forget(pack)
	d.written++
	return nil
}

// rev writes the reverse index of a pack, if it has none that is sound.
func (d *deriver) rev(ctx context.Context, n int) error {
	p := d.packs[n].value
	if p.Index().Count() < d.store.config.DeriveFrom {
		return nil
	}
	stored, files := d.store.derived.rev(ctx, d.format, d.rows[n].Name, p.Index())
	closeAll(files)
	if stored != nil {
		return nil
	}
	rev, err := p.Rev()
	if err != nil {
		return err
	}
	return d.publish(ctx, d.rows[n].Name, RevFile(d.rows[n].Name), rev.Append(d.format, nil))
}

// of returns what stands beside a pack now.
func (d *deriver) of(ctx context.Context, n int) (*packDerived, error) {
	v, err := d.store.derived.of(ctx, d.format, d.rows[n].Name)
	if err != nil {
		return nil, err
	}
	d.files = append(d.files, v)
	return v.value, nil
}

// graph writes the layers of the commit graph that are missing, and returns all
// of it. Packs without commits of their own have no layer. Filters are copied from the
// graph of the repository as it is.
func (d *deriver) graph(ctx context.Context) (g *commitgraph.Graph, err error) {
	old, err := d.snap.Graph(ctx) // it holds until the snapshot is closed
	if err != nil {
		return nil, err
	}
	var copied []*commitgraph.Graph
	if old != nil {
		copied = append(copied, old)
	}
	var layers, sums [][]byte
	for n := range d.rows {
		files, err := d.of(ctx, n)
		if err != nil {
			return nil, err
		}
		data := files.graph
		if data == nil || !equalStacks(files.below, sums) {
			if data, err = d.graphLayer(ctx, n, g, copied, data != nil); err != nil {
				return nil, err
			}
		}
		if data == nil {
			continue
		}
		layers, sums = append(layers, data), append(sums, commitgraph.Checksum(d.format, data))
		if g, err = commitgraph.Open(d.format, layers); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// graphLayer makes and publishes the layer beside pack n; nil if there is nothing in it.
func (d *deriver) graphLayer(ctx context.Context, n int, below *commitgraph.Graph, copied []*commitgraph.Graph,
	replace bool) ([]byte, error) {
	tips, err := d.tips(ctx, n)
	if err != nil {
		return nil, err
	}
	data, err := commitgraph.Build(ctx, d.snap, d.format, below, tips, commitgraph.BuildOptions{Copied: copied,
		Progress: func(done, total int) { d.tell("commit graph", done, total) }})
	if err != nil {
		return nil, err
	}
	name := d.rows[n].Name
	if data == nil && !replace {
		return nil, nil
	}
	if data == nil {
		err = d.store.files.Delete(ctx, GraphFile(name))
		d.store.derived.forget(name)
		return nil, err
	}
	return data, d.publish(ctx, name, GraphFile(name), data)
}

// bitmaps writes the layers of bitmaps that are missing.
func (d *deriver) bitmaps(ctx context.Context, graph *commitgraph.Graph) error {
	var layers []bitmap.Layer
	var sums [][]byte
	for n, row := range d.rows {
		rev, err := d.packs[n].value.Rev()
		if err != nil {
			return err
		}
		files, err := d.of(ctx, n)
		if err != nil {
			return err
		}
		sums = append(sums, row.Checksum)
		layer := bitmap.Layer{Pack: d.packs[n].value.Index(), Rev: rev, File: files.bitmap}
		if layer.File != nil && !equalStacks(layer.File.Stack(), sums) {
			layer.File = nil
		}
		if layer.File == nil {
			if layer.File, err = d.bitmapLayer(ctx, n, append(layers[:n:n], layer), graph); err != nil {
				return err
			}
		}
		layers = append(layers, layer)
	}
	return nil
}

// bitmapLayer makes and publishes the bitmaps of pack n on those below.
func (d *deriver) bitmapLayer(ctx context.Context, n int, layers []bitmap.Layer,
	graph *commitgraph.Graph) (*bitmap.File, error) {
	index, err := bitmap.NewIndex(d.format, layers)
	if err != nil {
		return nil, err
	}
	tips, err := d.tips(ctx, n)
	if err != nil {
		return nil, err
	}
	data, err := bitmap.Build(ctx, d.snap, d.format, index, bitmap.BuildOptions{Tips: tips, Graph: graph,
		Progress: func(done, total int) { d.tell("bitmaps", done, total) }})
	if err != nil {
		return nil, err
	}
	if err := d.publish(ctx, d.rows[n].Name, BitmapFile(d.rows[n].Name), data); err != nil {
		return nil, err
	}
	return bitmap.Open(d.format, data)
}

// tips returns what the refs reach first of the commits in the stack up to pack n, going
// through the commits above it: they are few, or else they had a layer.
func (d *deriver) tips(ctx context.Context, n int) (tips []git.ID, err error) {
	seen := make(map[git.ID]struct{})
	var next []git.ID
	meet := func(id git.ID) {
		if _, ok := seen[id]; !ok && !id.IsZero() {
			seen[id] = struct{}{}
			next = append(next, id)
		}
	}
	for r := range d.snap.state.Refs.All() {
		if meet(r.Peeled); r.Peeled.IsZero() {
			meet(r.Target)
		}
	}
	for len(next) > 0 {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		if d.within(id, n) {
			tips = append(tips, id)
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kind, data, err := d.snap.Object(ctx, id)
		if err != nil {
			return nil, err
		}
		if kind != git.KindCommit {
			continue
		}
		_, parents, _, err := git.CommitLinks(d.format, data, nil)
		if err != nil {
			return nil, fmt.Errorf("commit %s: %w", id, err)
		}
		for _, p := range parents {
			meet(p)
		}
	}
	return tips, nil
}

// within reports whether an object is in the stack up to pack n.
func (d *deriver) within(id git.ID, n int) bool {
	for k := n; k >= 0; k-- {
		if _, ok := d.packs[k].value.Index().Find(id); ok {
			return true
		}
	}
	return false
}

// lookAgain makes files that were not there before be looked for.
func (d *derived) lookAgain(packs []Pack) {
	for _, p := range packs {
		if d.config.derivable(p) {
			d.byPack.forgetIf(p.Name, func(p *packDerived) bool { return !p.whole })
		}
	}
}
