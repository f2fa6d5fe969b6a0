package repo

import (
	"container/list"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// openPacks shares opened packs between snapshots, also between those of
// different repositories that have the same pack. A pack stays open while a
// snapshot holds it, and after that until more than max are open.
type openPacks struct {
	files Files
	cache *pack.Cache
	max   int
	// rev opens a pack's stored reverse index, if it has one; the files returned hold it.
	rev func(ctx context.Context, f git.Format, name string, x *pack.Index) (*pack.Rev, []File)

	mu     sync.Mutex
	byName map[string]*openPack
	idle   list.List // of *openPack that nobody holds, most recently used first
}

// openPack is one pack. refs and idle are under openPacks.mu; the rest is set
// by whoever has the gate and does not change once pack is set.
type openPack struct {
	name string
	refs int
	idle *list.Element

	gate  chan struct{} // of size one: a lock that a context can give up on
	pack  *pack.Pack
	files []File
}

// acquire opens a pack or shares the open one. The caller releases it.
func (o *openPacks) acquire(ctx context.Context, f git.Format, row *Pack) (*openPack, error) {
	p := o.hold(row.Name)
	select {
	case p.gate <- struct{}{}:
	case <-ctx.Done():
		o.release(p)
		return nil, ctx.Err()
	}
	var err error
	if p.pack == nil { // or whoever opened it before us failed, perhaps cancelled
		err = p.open(ctx, o, f, row)
	}
	<-p.gate
	if err != nil {
		o.release(p)
		return nil, err
	}
	return p, nil
}

func (o *openPacks) hold(name string) *openPack {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok := o.byName[name]
	if !ok {
		if o.byName == nil {
			o.byName = make(map[string]*openPack)
		}
		p = &openPack{name: name, gate: make(chan struct{}, 1)}
		o.byName[name] = p
	}
	if p.idle != nil {
		o.idle.Remove(p.idle)
		p.idle = nil
	}
	p.refs++
	return p
}

// release gives up one hold and closes what is too much.
func (o *openPacks) release(p *openPack) {
	o.mu.Lock()
	var close []*openPack
	if p.refs--; p.refs == 0 {
		if p.pack == nil { // never opened
			delete(o.byName, p.name)
		} else {
			p.idle = o.idle.PushFront(p)
		}
	}
	for len(o.byName) > o.max && o.idle.Len() > 0 {
		close = append(close, o.evict())
	}
	o.mu.Unlock()
	for _, p := range close {
		p.close()
	}
}

// evict takes out the pack that nobody has held for longest. Called with mu held.
func (o *openPacks) evict() *openPack {
	p := o.idle.Remove(o.idle.Back()).(*openPack)
	p.idle = nil
	delete(o.byName, p.name)
	return p
}

// close closes all packs that nobody holds and returns how many are held.
func (o *openPacks) close() (held int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.idle.Len() > 0 {
		o.evict().close()
	}
	return len(o.byName)
}

// open opens both files, or what is in the row. Called with the gate.
func (p *openPack) open(ctx context.Context, o *openPacks, f git.Format, row *Pack) (err error) {
	if row.InRow() {
		return p.openRow(ctx, o, f, row)
	}
	var files []File
	defer func() {
		if err != nil {
			closeAll(files)
		}
	}()
	indexFile, err := o.files.Open(ctx, IndexFile(p.name))
	if err != nil {
		return err
	}
	files = append(files, indexFile)
	data, whole, err := contents(ctx, indexFile)
	if err != nil {
		return fmt.Errorf("read %s: %w", IndexFile(p.name), err)
	}
	if !whole { // a copy: the file is of no more use
		closeAll(files)
		files = nil
	}
	index, err := pack.OpenIndex(f, data)
	if err != nil {
		return fmt.Errorf("%s: %w", IndexFile(p.name), err)
	}
	packFile, err := o.files.Open(ctx, PackFile(p.name))
	if err != nil {
		return err
	}
	files = append(files, packFile)
	opened, err := pack.Open(ctx, f, packFile, index, o.cache)
	if err != nil {
		return fmt.Errorf("%s: %w", PackFile(p.name), err)
	}
	if rev, held := o.rev(ctx, f, p.name, index); rev != nil {
		opened.UseRev(rev)
		files = append(files, held...)
	}
	p.pack, p.files = opened, files
	return nil
}

func (p *openPack) openRow(ctx context.Context, o *openPacks, f git.Format, row *Pack) error {
	index, err := pack.OpenIndex(f, row.Index)
	if err == nil {
		p.pack, err = pack.Open(ctx, f, memory(row.Data), index, o.cache)
	}
	if err != nil {
		p.pack = nil
		return fmt.Errorf("row of pack %s: %w", row.Name, err)
	}
	return nil
}

// memory is a pack.Source.
type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) View(_ context.Context, off int64, n int) ([]byte, error) {
	if off >= int64(len(m)) {
		return nil, io.EOF
	}
	return m[off:min(off+int64(n), int64(len(m)))], nil
}

func (p *openPack) close() {
	closeAll(p.files)
	p.pack, p.files = nil, nil
}

// closeAll closes files that were only read: an error would change nothing.
func closeAll(files []File) {
	for _, f := range files {
		f.Close()
	}
}

// maxIndexBytes bounds what is read into memory on a file's word: the index of
// some 60 million objects.
const maxIndexBytes = 2 << 30

// contents returns all of a file: one view of it (whole), or a copy.
func contents(ctx context.Context, f File) (data []byte, whole bool, err error) {
	size := f.Size()
	if size == 0 {
		return nil, true, nil
	}
	if size > maxIndexBytes {
		return nil, false, fmt.Errorf("%d bytes are more than %d", size, maxIndexBytes)
	}
	first, err := f.View(ctx, 0, int(size))
	if err != nil || int64(len(first)) == size {
		return first, true, err
	}
	data = append(make([]byte, 0, size), first...)
	for int64(len(data)) < size {
		more, err := f.View(ctx, int64(len(data)), int(size)-len(data))
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, false, err
		}
		data = append(data, more...)
	}
	return data, false, nil
}
