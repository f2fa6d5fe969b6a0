package history

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

const (
	// maxBases bounds how many objects a large fetch offers as bases, and so
	// how many trees it reads to find them. Beyond, most new objects lean on each other.
	maxBases = 1 << 13
	// maxBaseTips bounds the new commits that are compared with what the client has.
	maxBaseTips = 8
)

// bases finds the old versions of what is new: where the trees of wanted commits
// differ from that of the newest commit that the client has, the objects that
// this one has there.
func (s *sets) bases(ctx context.Context) ([]Object, error) {
	newest, ok, err := s.newest(ctx, s.haves.commits)
	if !ok || err != nil {
		return nil, err
	}
	b := &baseSearch{sets: s, seen: newIDTable()}
	b.trees, b.blobs = s.trees.filter.sure(git.KindTree), s.trees.filter.sure(git.KindBlob)
	tips := 0
	for i := range s.wants.commits {
		id := &s.wants.commits[i]
		if s.has.has(id) {
			continue
		}
		if tips++; tips > maxBaseTips {
			break
		}
		n := s.graph.node(*id)
		if err := s.graph.parse(ctx, n); err != nil {
			return nil, err
		}
		if err := b.compare(ctx, s.graph.nodes[newest].tree, s.graph.nodes[n].tree); err != nil {
			return nil, err
		}
	}
	return b.found, nil
}

// newest returns the commit of the highest rank; ok is false if there are none.
func (s *sets) newest(ctx context.Context, commits []git.ID) (newest uint32, ok bool, err error) {
	for _, id := range commits {
		i := s.graph.node(id)
		if err := s.graph.parse(ctx, i); err != nil {
			return 0, false, err
		}
		if !ok || s.graph.nodes[i].rank > s.graph.nodes[newest].rank {
			newest, ok = i, true
		}
	}
	return newest, ok, nil
}

// baseSearch is one run of bases.
type baseSearch struct {
	*sets
	trees, blobs bool // which kinds the client is sure to have
	seen         idTable
	found        []Object
	pending      []treePair
}

// treePair is a tree of the client's and a new one at the same path.
type treePair struct {
	had, new git.ID
	prefix   uint32 // hash of the path with a slash behind
}

// add takes an object of the client's that differs from what is new at its path.
func (b *baseSearch) add(id git.ID, kind git.Kind, hash uint32) (fresh bool) {
	if _, fresh = b.seen.add(&id); !fresh {
		return false
	}
	if kind == git.KindTree && b.trees || kind == git.KindBlob && b.blobs {
		b.found = append(b.found, Object{ID: id, Kind: kind, NameHash: hash})
	}
	return true
}

func (b *baseSearch) compare(ctx context.Context, had, new git.ID) error {
	if had == new || !b.trees && !b.blobs {
		return nil
	}
	b.add(had, git.KindTree, 0)
	b.pending = append(b.pending[:0], treePair{had: had, new: new})
	for n := len(b.pending); n > 0 && b.seen.n < maxBases; n = len(b.pending) {
		next := b.pending[n-1]
		b.pending = b.pending[:n-1]
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.pair(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// pair compares two trees entry by entry.
func (b *baseSearch) pair(ctx context.Context, p treePair) error {
	had, err := b.read(ctx, p.had, git.KindTree)
	if err != nil {
		return err
	}
	data, err := b.read(ctx, p.new, git.KindTree)
	if err != nil {
		return err
	}
	for len(had) > 0 && len(data) > 0 {
		if same := git.SameEntries(b.format, had, data); same > 0 {
			had, data = had[same:], data[same:]
			continue
		}
		mode, name, id, rest, err := git.NextEntry(b.format, had)
		if err != nil {
			return fmt.Errorf("tree %s: %w", p.had, err)
		}
		newMode, newName, newID, newRest, err := git.NextEntry(b.format, data)
		if err != nil {
			return fmt.Errorf("tree %s: %w", p.new, err)
		}
		switch order := compareEntries(mode, name, newMode, newName); {
		case order < 0:
			had = rest
			continue
		case order > 0:
			data = newRest
			continue
		}
		had, data = rest, newRest
		if id == newID || isSubmodule(mode) || isSubmodule(newMode) {
			continue
		}
		hash := git.NameHash(p.prefix, name)
		if !mode.IsTree() {
			b.add(id, git.KindBlob, hash)
		} else if b.add(id, git.KindTree, hash) {
			b.pending = append(b.pending, treePair{id, newID, git.NameHash(hash, "/")})
		}
	}
	return nil
}

// compareEntries orders entries as trees do: a directory as if its name ended in
// a slash. Entries of one name and kind are equal.
func compareEntries(mode git.Mode, name []byte, other git.Mode, otherName []byte) int {
	n := min(len(name), len(otherName))
	if order := bytes.Compare(name[:n], otherName[:n]); order != 0 {
		return order
	}
	return int(byteAt(mode, name, n)) - int(byteAt(other, otherName, n))
}

func byteAt(mode git.Mode, name []byte, at int) byte {
	if at < len(name) {
		return name[at]
	}
	if mode.IsTree() {
		return '/'
	}
	return 0
}
