package repo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/pack"
)

const (
	// lookAgain is for how long a file that was not there, or was damaged, is not
	// looked for again: another node may write it.
	lookAgain = 30 * time.Second
	// derivedBytes is the size from which a pack of few objects has derived data as
	// well, so that those above it can.
	derivedBytes = 1 << 20
	// openPositions bounds the stacks that are open, save those that somebody uses: their
	// positions, which cost about a byte each.
	openPositions = 64 << 20
)

// stackWeight is what a stack of so many layers and positions counts for openPositions. A stack
// holds its packs and files open, and many small ones would hold very many of them: so
// a layer weighs at least so much that idle stacks hold no more than half of Config.OpenPacks.
func (c *Config) stackWeight(layers, positions int) int64 {
	return max(int64(positions), int64(layers)*openPositions/int64(max(c.OpenPacks/2, 1)))
}

// derivable reports whether derived data of a pack are written and looked for. A
// smaller pack is walked as fast as they are opened.
func (c *Config) derivable(p Pack) bool {
	return !p.InRow() && (p.Objects >= int64(c.DeriveFrom) || p.Bytes >= derivedBytes)
}

// derived shares what is opened of derived data.
type derived struct {
	files  Files
	packs  *openPacks
	config *Config

	byPack  pool[*packDerived]
	bitmaps pool[*bitmapStack]
	graphs  pool[*commitgraph.Graph]
}

// packDerived is what stands beside one pack, as far as it does and is sound. It
// does not change.
type packDerived struct {
	opened time.Time
	whole  bool // both are there
	bitmap *bitmap.File
	graph  []byte
	below  [][]byte // checksums of the graph's layers below, bottom first
}

// bitmapStack is an index with the packs of its layers.
type bitmapStack struct {
	index *bitmap.Index
	packs []*pack.Pack
}

// damaged tells that a file is done without.
func (d *derived) damaged(file string, err error) {
	if d.config.Damaged != nil {
		d.config.Damaged(file, err)
	}
}

// of returns what is derived from a pack. The caller releases it.
func (d *derived) of(ctx context.Context, f git.Format, name string) (*pooled[*packDerived], error) {
	open := func(ctx context.Context) (*packDerived, int64, func(), error) { return d.open(ctx, f, name) }
	v, err := d.byPack.acquire(ctx, name, open)
	if err == nil && !v.value.whole && d.config.Clock().Sub(v.value.opened) >= lookAgain {
		d.byPack.forget(name)
		d.byPack.release(v)
		v, err = d.byPack.acquire(ctx, name, open)
	}
	return v, err
}

func (d *derived) open(ctx context.Context, f git.Format, name string) (*packDerived, int64, func(), error) {
	p := &packDerived{opened: d.config.Clock()}
	var files []File
	read := func(file string, use func(data []byte) error) bool {
		data, opened, err := readDerived(ctx, d.files, f, file)
		if err == nil {
			err = use(data)
		}
		if err != nil {
			closeAll(opened)
			if !errors.Is(err, ErrNoFile) && ctx.Err() == nil {
				d.damaged(file, err)
			}
			return false
		}
		files = append(files, opened...)
		return true
	}
	hasBitmap := read(BitmapFile(name), func(data []byte) (err error) {
		p.bitmap, err = bitmap.Open(f, data)
		return err
	})
	hasGraph := read(GraphFile(name), func(data []byte) (err error) {
		p.graph = data
		p.below, err = graphBases(f, data)
		return err
	})
	if !hasGraph {
		p.graph = nil
	}
	if err := ctx.Err(); err != nil {
		closeAll(files)
		return nil, 0, nil, err
	}
	p.whole = hasBitmap && hasGraph
	return p, 1, func() { closeAll(files) }, nil
}

// rev opens the reverse index that stands beside a pack, unless it is not there or damaged.
func (d *derived) rev(ctx context.Context, f git.Format, name string, x *pack.Index) (*pack.Rev, []File) {
	if x.Count() < d.config.DeriveFrom {
		return nil, nil
	}
	data, files, err := readDerived(ctx, d.files, f, RevFile(name))
	var rev *pack.Rev
	if err == nil {
		rev, err = pack.OpenRev(f, data, x)
	}
	if err != nil {
		closeAll(files)
		if !errors.Is(err, ErrNoFile) && ctx.Err() == nil {
			d.damaged(RevFile(name), err)
		}
		return nil, nil
	}
	return rev, files
}

// readDerived returns the bytes of a derived file whose checksum is right. They are valid
// until the files returned, none or one, are closed.
func readDerived(ctx context.Context, files Files, f git.Format, name string) (data []byte, opened []File, err error) {
	file, err := files.Open(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	data, whole, err := contents(ctx, file)
	if err == nil {
		err = sealed(f, data)
	}
	if err != nil || !whole {
		closeAll([]File{file})
		return data, nil, err
	}
	return data, []File{file}, nil
}

// sealed checks the checksum that ends every kind of derived file. It costs a
// millisecond for a few megabytes, once, and finds what wore out on a disk; what was
// wrong as it was written is for Check to find.
func sealed(f git.Format, data []byte) error {
	n := len(data) - f.Size()
	if n < 0 {
		return fmt.Errorf("%w: %d bytes are too short", git.ErrCorrupt, len(data))
	}
	sum := git.NewChecksum(f)
	sum.Write(data[:n])
	if !bytes.Equal(sum.Sum(nil), data[n:]) {
		return fmt.Errorf("%w: checksum does not match", git.ErrCorrupt)
	}
	return nil
}

// graphBases returns the checksums of the layers on which a layer of a commit graph
// lies. Everything else about the layer is for commitgraph.Open to check.
func graphBases(f git.Format, data []byte) ([][]byte, error) {
	const head, line = 8, 12 // signature, versions, counts; id and offset of a chunk
	if len(data) < head+line || string(data[:4]) != "CGPH" {
		return nil, fmt.Errorf("%w: no commit graph", git.ErrCorrupt)
	}
	chunks, bases := int(data[6]), int(data[7])
	if bases == 0 {
		return nil, nil
	}
	if len(data) < head+line*(chunks+1) {
		return nil, fmt.Errorf("%w: commit graph of %d bytes ends in its table of chunks", git.ErrCorrupt, len(data))
	}
	for table := data[head:]; chunks > 0; chunks, table = chunks-1, table[line:] {
		if string(table[:4]) != "BASE" {
			continue
		}
		at := binary.BigEndian.Uint64(table[4:])
		size := uint64(bases * f.Size())
		if at > uint64(len(data)) || size > uint64(len(data))-at {
			return nil, fmt.Errorf("%w: commit graph: the list of layers below, at %d, is not in %d bytes", git.ErrCorrupt, at, len(data))
		}
		list := make([][]byte, bases)
		for i := range list {
			list[i] = data[at+uint64(i*f.Size()):][:f.Size()]
		}
		return list, nil
	}
	return nil, fmt.Errorf("%w: commit graph lacks the list of the %d layers below", git.ErrCorrupt, bases)
}

// bitmapsOf returns the index of a stack of packs. The caller releases it.
func (d *derived) bitmapsOf(ctx context.Context, f git.Format, names []string) (*pooled[*bitmapStack], error) {
	return d.bitmaps.acquire(ctx, strings.Join(names, " "), func(ctx context.Context) (*bitmapStack, int64, func(), error) {
		var held []*heldPack
		var files []*pooled[*packDerived]
		done := func() {
			for _, p := range held {
				d.packs.release(p)
			}
			for _, v := range files {
				d.byPack.release(v)
			}
		}
		fail := func(err error) (*bitmapStack, int64, func(), error) {
			done()
			return nil, 0, nil, err
		}
		s := new(bitmapStack)
		var layers []bitmap.Layer
		for _, name := range names {
			p, err := d.packs.acquire(ctx, f, &Pack{Name: name})
			if err != nil {
				return fail(err)
			}
			held = append(held, p)
			v, err := d.of(ctx, f, name)
			if err != nil {
				return fail(err)
			}
			files = append(files, v)
			if v.value.bitmap == nil {
				return fail(fmt.Errorf("%s: %w", BitmapFile(name), ErrNoFile))
			}
			rev, err := p.value.Rev()
			if err != nil {
				return fail(err)
			}
			layers = append(layers, bitmap.Layer{Pack: p.value.Index(), Rev: rev, File: v.value.bitmap})
			s.packs = append(s.packs, p.value)
		}
		index, err := bitmap.NewIndex(f, layers)
		if err != nil {
			return fail(err)
		}
		s.index = index
		return s, d.config.stackWeight(len(layers), index.Len()), done, nil
	})
}

// graphOf returns the graph whose layers are those beside the packs. The caller releases it.
func (d *derived) graphOf(ctx context.Context, f git.Format, names []string) (*pooled[*commitgraph.Graph], error) {
	return d.graphs.acquire(ctx, strings.Join(names, " "), func(ctx context.Context) (*commitgraph.Graph, int64, func(), error) {
		var files []*pooled[*packDerived]
		done := func() {
			for _, v := range files {
				d.byPack.release(v)
			}
		}
		var layers [][]byte
		for _, name := range names {
			v, err := d.of(ctx, f, name)
			if err != nil {
				done()
				return nil, 0, nil, err
			}
			files = append(files, v)
			layers = append(layers, v.value.graph)
		}
		g, err := commitgraph.Open(f, layers)
		if err != nil {
			done()
			return nil, 0, nil, err
		}
		return g, d.config.stackWeight(len(layers), g.Len()), done, nil
	})
}

// forget makes what is derived from a pack be looked for anew.
func (d *derived) forget(name string) { d.byPack.forget(name) }

// close closes all that nobody holds and returns how much is held.
func (d *derived) close() (held int) {
	return d.bitmaps.close() + d.graphs.close() + d.byPack.close()
}
