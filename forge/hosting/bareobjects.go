package hosting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// barePack is one pack of a bare repository.
type barePack struct {
	*pack.Pack
	source *fileSource
}

// importCache bounds the delta bases kept inflated while a repository is read.
const importCache = 96 << 20

// readPacks opens every pack that has an index.
func (b *bare) readPacks() error {
	entries, err := fs.ReadDir(b.files, "objects/pack")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	cache := pack.NewCache(importCache)
	for _, entry := range entries {
		base, ok := strings.CutSuffix(entry.Name(), ".idx")
		if !ok {
			continue
		}
		if err := b.openPack("objects/pack/"+base, cache); err != nil {
			return fmt.Errorf("%s: %w", base, err)
		}
	}
	return nil
}

func (b *bare) openPack(name string, cache *pack.Cache) error {
	data, err := b.readFile(name+".idx", maxIndexBytes)
	if err != nil {
		return err
	}
	index, err := pack.OpenIndex(b.format, data)
	if err != nil {
		return err
	}
	source, err := openSource(b.files, name+".pack")
	if err != nil {
		return err
	}
	if err := index.Verify(source.size); err != nil {
		source.file.Close()
		return err
	}
	p, err := pack.Open(context.Background(), b.format, source, index, cache)
	if err != nil {
		source.file.Close()
		return err
	}
	b.packs = append(b.packs, &barePack{p, source})
	return nil
}

// Object implements git.Objects.
func (b *bare) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	for _, p := range b.packs {
		if at, ok := p.Index().Find(id); ok {
			return p.Object(ctx, at)
		}
	}
	return b.loose(id)
}

// has reports whether an object is there, without reading it.
func (b *bare) has(id git.ID) (bool, error) {
	for _, p := range b.packs {
		if _, ok := p.Index().Find(id); ok {
			return true, nil
		}
	}
	_, err := fs.Stat(b.files, b.looseName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (b *bare) looseName(id git.ID) string {
	hex := b.format.Hex(id)
	return "objects/" + hex[:2] + "/" + hex[2:]
}

// loose reads an object from a file of its own: a zlib stream of "kind size",
// a zero byte, and the content.
func (b *bare) loose(id git.ID) (git.Kind, []byte, error) {
	file, err := b.files.Open(b.looseName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, git.NotFound(id)
	}
	if err != nil {
		return 0, nil, err
	}
	defer file.Close()
	stream, err := pack.NewInflater(file)
	if err != nil {
		return 0, nil, fmt.Errorf("loose object %s: %w", id, err)
	}
	head := make([]byte, 32) // "commit " and a number of 20 digits fit
	n, err := io.ReadFull(stream, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil, fmt.Errorf("loose object %s: %w", id, err)
	}
	line, rest, found := bytes.Cut(head[:n], []byte{0})
	word, number, _ := strings.Cut(string(line), " ")
	kind, kindErr := git.ParseKind(word)
	size, sizeErr := strconv.ParseInt(number, 10, 64)
	if !found || kindErr != nil || sizeErr != nil || size < int64(len(rest)) || size > maxLooseBytes {
		return 0, nil, fmt.Errorf("%w: loose object %s: bad header, or larger than %d bytes", git.ErrCorrupt, id, maxLooseBytes)
	}
	var data bytes.Buffer // grows with what is there, not with what the header says
	data.Write(rest)
	if _, err := io.Copy(&data, io.LimitReader(stream, size-int64(len(rest))+1)); err != nil {
		return 0, nil, fmt.Errorf("loose object %s: %w", id, err)
	}
	if int64(data.Len()) != size {
		return 0, nil, fmt.Errorf("%w: loose object %s: content is not %d bytes long", git.ErrCorrupt, id, size)
	}
	return kind, data.Bytes(), nil
}

// fileSource is an open file as a pack.Source. It reads blocks and keeps the
// latest; slices of a block that was dropped stay good.
type fileSource struct {
	file fs.File
	at   io.ReaderAt
	size int64

	mu     sync.Mutex // guards blocks and order
	blocks map[int64][]byte
	order  []int64 // of blocks, oldest first
}

const (
	sourceBlock  = 128 << 10
	sourceBlocks = 64
)

func openSource(files fs.FS, name string) (*fileSource, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	at, ok := file.(io.ReaderAt)
	info, err := file.Stat()
	if err != nil || !ok {
		file.Close()
		return nil, errors.Join(err, fmt.Errorf("%s cannot be read at any place", name))
	}
	return &fileSource{file: file, at: at, size: info.Size(), blocks: map[int64][]byte{}}, nil
}

// Size implements pack.Source.
func (s *fileSource) Size() int64 { return s.size }

// View implements pack.Source.
func (s *fileSource) View(_ context.Context, off int64, n int) ([]byte, error) {
	if off >= s.size {
		return nil, io.EOF
	}
	block, err := s.block(off / sourceBlock)
	if err != nil {
		return nil, err
	}
	from := int(off % sourceBlock)
	if from >= len(block) {
		return nil, io.EOF // the file has become shorter
	}
	return block[from:min(len(block), from+n)], nil
}

func (s *fileSource) block(number int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if block, ok := s.blocks[number]; ok {
		return block, nil
	}
	block := make([]byte, min(sourceBlock, s.size-number*sourceBlock))
	n, err := s.at.ReadAt(block, number*sourceBlock)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(s.order) == sourceBlocks {
		delete(s.blocks, s.order[0])
		s.order = s.order[1:]
	}
	s.blocks[number] = block[:n]
	s.order = append(s.order, number)
	return block[:n], nil
}
