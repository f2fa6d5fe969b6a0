package bitmap

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

// BuildOptions say what Build makes.
type BuildOptions struct {
	// Tips are where refs point (tags peeled or not): what clients ask for. They get
	// bitmaps before other commits, the latest first; commits that they don't reach get none. Some
	// may lie beyond the stack: what they reach of it then counts.
	Tips []git.ID
	// Graph answers for commits without reading them; may be nil.
	Graph *commitgraph.Graph
	// Header returns an object's kind and size without reading it whole; nil: it is read. It is
	// asked about objects that no bitmap reaches.
	Header func(ctx context.Context, id git.ID) (git.Kind, int64, error)
	// Progress hears how many of the commits chosen have their bitmap; may be nil.
	Progress func(done, total int)
}

// Build returns the bytes of the file for the top layer of x, whose File is nil
// (and those of the layers below are used). The stack must be closed: what an object in
// it names is in it, or is reached by no commit that gets a bitmap; such commits
// are left out. The same stack and options make the same bytes.
//
// It trusts that a file is what a tree names as one, as is checked when a push comes in; where it
// finds that something is named as a blob but is none, that is git.ErrCorrupt.
//
// It reads each commit that the tips reach and that no layer below covers (and a few that one does,
// where bitmaps are far apart), each tree once for about each line of history that has it, and no blobs. It holds in memory
// a dozen sets of x.Len() bits, 12 bytes for each object of the top pack, 80 for each commit, up to 20
// MB of trees, and the bitmaps made, compressed.
func Build(ctx context.Context, objects git.Objects, f git.Format, x *Index, o BuildOptions) ([]byte, error) {
	b, err := newBuilder(objects, f, x, o)
	if err != nil {
		return nil, err
	}
	tips, err := b.tips(ctx)
	if err != nil {
		return nil, err
	}
	for _, tip := range tips {
		if err := b.load(ctx, tip); err != nil {
			return nil, err
		}
	}
	lines := b.chains(b.closed(tips))
	b.space(lines)
	total, done := b.chosen(), 0
	open := func(error) error { return nil }
	err = b.fill(ctx, lines, open, func(uint32) error {
		if done++; o.Progress != nil {
			o.Progress(done, total)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := b.learnKinds(ctx); err != nil {
		return nil, err
	}
	return b.file()
}

// builder makes the file of the top layer.
type builder struct {
	*filler
	options BuildOptions
	top     Layer
	start   int                  // position of the first object of the top layer
	ranks   []uint32             // of the top layer, by place
	kinds   [git.KindTag + 1]Set // of positions in the top layer
	hashes  []uint32             // of the top layer, by rank
}

func newBuilder(objects git.Objects, f git.Format, x *Index, o BuildOptions) (*builder, error) {
	n := len(x.layers)
	if n == 0 || x.layers[n-1].File != nil {
		return nil, errors.New("bitmap: there is no layer to build a file for")
	}
	b := &builder{filler: newFiller(newCommits(objects, f, x)), options: o, top: x.layers[n-1], start: x.Start(n - 1)}
	b.graph = o.Graph
	b.covered, b.end = NewSet(x.Len()), b.start
	b.commits.find = b.find
	b.hear = b.note
	b.ranks = make([]uint32, b.top.Pack.Count())
	for rank := range b.ranks {
		b.ranks[b.top.Rev.Place(rank)] = uint32(rank)
	}
	for kind := range b.kinds {
		b.kinds[kind] = NewSet(x.Len())
	}
	b.hashes = make([]uint32, b.top.Pack.Count())
	return b, nil
}

// find is Index.Find without a search for the rank in the top layer, where nearly all is.
func (b *builder) find(id git.ID) (position int, ok bool) {
	below := b.index.layers[:len(b.index.layers)-1]
	if position, ok := b.index.findIn(below, id); ok {
		return position, true
	}
	at, ok := b.top.Pack.Find(id)
	if !ok {
		return 0, false
	}
	return b.start + int(b.ranks[at]), true
}

// note takes down kind and path of what was found.
func (b *builder) note(position int, kind git.Kind, hash uint32) {
	if position < b.start {
		b.compareKind(position, kind)
	} else if b.kinds[kind].Add(position) {
		b.hashes[position-b.start] = hash
	}
}

// tips returns the commits that the tips are, or that tags among them point to:
// those that can have bitmaps, the latest first.
func (b *builder) tips(ctx context.Context) ([]uint32, error) {
	var tips []uint32
	seen := make(map[git.ID]bool, len(b.options.Tips)) // tags on the way, too
	for i, id := range b.options.Tips {
		if i%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		for !seen[id] {
			seen[id] = true
			kind, target, err := b.peel(ctx, id)
			if err != nil {
				return nil, fmt.Errorf("tip %s: %w", id, err)
			}
			if kind == git.KindTag {
				id = target
				continue
			}
			if kind == git.KindCommit {
				tips = append(tips, b.node(id))
				if err := b.read(ctx, tips[len(tips)-1]); err != nil {
					return nil, err
				}
			}
		}
	}
	tips = b.latest(tips)
	return tips[:min(len(tips), maxTips)], nil
}

// peel returns the kind of an object, 0 if it can't be had, and where it points to if it is a tag.
func (b *builder) peel(ctx context.Context, id git.ID) (kind git.Kind, target git.ID, err error) {
	if b.graph != nil {
		if _, ok := b.graph.Find(id); ok {
			return git.KindCommit, target, nil
		}
	}
	position, here := b.find(id)
	if here && position < b.start {
		kind = b.index.Kind(position)
	}
	if kind == 0 {
		kind, err = b.kind(ctx, id)
	}
	if err != nil || kind != git.KindTag {
		return kind, target, err
	}
	kind, data, err := b.objects.Object(ctx, id)
	if err == nil && kind == git.KindTag {
		var tag *git.Tag
		if tag, err = git.ParseTag(b.format, data); err == nil {
			if here {
				b.note(position, git.KindTag, 0)
			}
			return git.KindTag, tag.Target, nil
		}
	}
	if absent(err) {
		return 0, target, nil
	}
	return 0, target, err
}

// kind returns the kind of an object, 0 if it can't be had.
func (b *builder) kind(ctx context.Context, id git.ID) (kind git.Kind, err error) {
	if b.options.Header != nil {
		kind, _, err = b.options.Header(ctx, id)
	} else {
		kind, _, err = b.objects.Object(ctx, id)
	}
	if absent(err) {
		return 0, nil
	}
	return kind, err
}

// learnKinds finds the kinds of those objects of the top layer that no bitmap reaches.
func (b *builder) learnKinds(ctx context.Context) error {
	for i, blobs := range b.kinds[git.KindBlob] {
		if two := blobs & (b.kinds[git.KindCommit][i] | b.kinds[git.KindTree][i] | b.kinds[git.KindTag][i]); two != 0 {
			return corrupt("object %s is named as a blob, but is none", b.index.ID(64*i+bits.TrailingZeros64(two)))
		}
	}
	if b.wrong != nil {
		return b.wrong
	}
	for position := b.start; position < b.index.Len(); position++ {
		if b.known(position) {
			continue
		}
		if position%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		id := b.index.ID(position)
		if first, ok := b.find(id); !ok || first != position {
			continue // a repeated object
		}
		kind, err := b.kind(ctx, id)
		if err != nil {
			return fmt.Errorf("object %s: %w", id, err)
		}
		if kind != 0 {
			b.kinds[kind].Add(position)
		}
	}
	return nil
}

// known reports whether the kind of an object in the top layer is known.
func (b *builder) known(position int) bool {
	for _, kind := range kinds {
		if b.kinds[kind].Has(position) {
			return true
		}
	}
	return false
}
