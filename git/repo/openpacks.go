package repo

import (
	"context"
	"fmt"
	"io"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// openPacks shares opened packs between snapshots, also between those of
// different repositories that have the same pack.
type openPacks struct {
	pool[*pack.Pack] // by name; each weighs one
	files            Files
	cache            *pack.Cache
	// rev opens a pack's stored reverse index, if it has one; the files returned hold it.
	rev func(ctx context.Context, f git.Format, name string, x *pack.Index) (*pack.Rev, []File)
}

// heldPack is a pack that somebody has acquired.
type heldPack = pooled[*pack.Pack]

// acquire opens a pack or shares the open one. The caller releases it.
func (o *openPacks) acquire(ctx context.Context, f git.Format, row *Pack) (*heldPack, error) {
	return o.pool.acquire(ctx, row.Name, func(ctx context.Context) (*pack.Pack, int64, func(), error) {
		p, files, err := o.open(ctx, f, row)
		return p, 1, func() { closeAll(files) }, err
	})
}

// open opens both files, or what is in the row. The pack is used until the files returned are closed.
func (o *openPacks) open(ctx context.Context, f git.Format, row *Pack) (_ *pack.Pack, files []File, err error) {
	if row.InRow() {
		p, err := o.openRow(ctx, f, row)
		return p, nil, err
	}
	defer func() {
		if err != nil {
			closeAll(files)
		}
	}()
	indexFile, err := o.files.Open(ctx, IndexFile(row.Name))
	if err != nil {
		return nil, nil, err
	}
	files = append(files, indexFile)
	data, whole, err := contents(ctx, indexFile)
	if err != nil {
		return nil, files, fmt.Errorf("read %s: %w", IndexFile(row.Name), err)
	}
	if !whole { // a copy: the file is of no more use
		closeAll(files)
		files = nil
	}
	index, err := pack.OpenIndex(f, data)
	if err != nil {
		return nil, files, fmt.Errorf("%s: %w", IndexFile(row.Name), err)
	}
	packFile, err := o.files.Open(ctx, PackFile(row.Name))
	if err != nil {
		return nil, files, err
	}
	files = append(files, packFile)
	opened, err := pack.Open(ctx, f, packFile, index, o.cache)
	if err != nil {
		return nil, files, fmt.Errorf("%s: %w", PackFile(row.Name), err)
	}
	if rev, held := o.rev(ctx, f, row.Name, index); rev != nil {
		opened.UseRev(rev)
		files = append(files, held...)
	}
	return opened, files, nil
}

func (o *openPacks) openRow(ctx context.Context, f git.Format, row *Pack) (*pack.Pack, error) {
	index, err := pack.OpenIndex(f, row.Index)
	if err != nil {
		return nil, fmt.Errorf("row of pack %s: %w", row.Name, err)
	}
	p, err := pack.Open(ctx, f, memory(row.Data), index, o.cache)
	if err != nil {
		return nil, fmt.Errorf("row of pack %s: %w", row.Name, err)
	}
	return p, nil
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
