package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// The limits of a change besides Config.Refs.
const (
	MaxRefDepth = 64   // segments of a ref's name: each is looked up when the ref is created
	MaxLogText  = 4096 // bytes of Change.Who and of Change.Why
)

// ErrInvalid is matched by the error for a change that no repository could take.
var ErrInvalid = errors.New("invalid change")

// Commit applies a change (Change.Add usually from Staged.Pack) and returns the
// new version. After nil everything in c is durable and every later Snapshot
// shows it; after an error nothing is, save when the error matches ErrUnknown.
// Errors: those of Catalog.Commit; ErrInvalid for names, ids and numbers that can
// never be right; and ErrOutOfDate for a pack that was staged more than half of
// Config.Grace ago, which a sweep might be about to remove (see
// docs/decisions/0004-sweep-and-slow-pushes.md). Change.Time, if zero, is now.
//
// That each new target is an object of the repository or of Change.Add is the
// caller's to see to: by IngestOptions.Tips, or by Snapshot.Has.
func (s *Store) Commit(ctx context.Context, c *Change) (version int64, err error) {
	format, err := s.formatOf(ctx, c.Repository)
	if err != nil {
		return 0, err
	}
	if err := c.check(format, s.config.Refs); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	now := s.config.Clock()
	for _, p := range c.Add {
		if age := now.Sub(p.Added); age > s.config.Grace/2 {
			return 0, fmt.Errorf("pack %s was staged %v ago: %w", p.Name, age.Round(time.Second), ErrOutOfDate)
		}
	}
	if c.Time.IsZero() {
		dated := *c
		dated.Time = now
		c = &dated
	}
	return s.catalog.Commit(ctx, c)
}

// formatOf returns a repository's format, which never changes: any state that is
// kept will do.
func (s *Store) formatOf(ctx context.Context, id ID) (git.Format, error) {
	if state := s.states.recent(id); state != nil {
		return state.Format, nil
	}
	state, err := s.load(ctx, id)
	if err != nil {
		return 0, err
	}
	return state.Format, nil
}

// check says what is wrong with a change, whatever the repository holds.
func (c *Change) check(f git.Format, maxRefs int) error {
	if len(c.Refs) > maxRefs {
		return fmt.Errorf("%d refs in one change, limit %d", len(c.Refs), maxRefs)
	}
	if len(c.Who) > MaxLogText || len(c.Why) > MaxLogText {
		return fmt.Errorf("ref log text of %d and %d bytes, limit %d", len(c.Who), len(c.Why), MaxLogText)
	}
	if err := c.checkRefs(f); err != nil {
		return err
	}
	if c.Head != nil {
		if err := checkRef(c.Head.New); err != nil {
			return fmt.Errorf("HEAD: %w", err)
		}
	}
	return c.checkPacks()
}

func (c *Change) checkRefs(f git.Format) error {
	seen := make(map[string]bool, len(c.Refs))
	for _, u := range c.Refs {
		if err := checkRef(u.Name); err != nil {
			return err
		}
		if seen[u.Name] {
			return fmt.Errorf("ref %q twice", u.Name)
		}
		seen[u.Name] = true
		for _, id := range []git.ID{u.Old, u.New, u.Peeled} {
			if f.FromBytes(id[:]) != id {
				return fmt.Errorf("ref %q: %s is no %s id", u.Name, id, f)
			}
		}
		if u.New.IsZero() && !u.Peeled.IsZero() {
			return fmt.Errorf("ref %q is deleted, but peeled to %s", u.Name, u.Peeled)
		}
	}
	return nil
}

func checkRef(name string) error {
	if err := git.CheckRefName(name); err != nil {
		return err
	}
	if !strings.HasPrefix(name, "refs/") {
		return fmt.Errorf("bad ref name %q: not in refs/", name)
	}
	if strings.Count(name, "/") >= MaxRefDepth {
		return fmt.Errorf("bad ref name %.80q…: more than %d segments", name, MaxRefDepth)
	}
	return nil
}

func (c *Change) checkPacks() error {
	seen := make(map[string]bool, len(c.Add)+len(c.Drop))
	name := func(name string) error {
		if err := checkPackName(name); err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("pack %s twice", name)
		}
		seen[name] = true
		return nil
	}
	for _, p := range c.Add {
		if err := name(p.Name); err != nil {
			return err
		}
		if p.Bytes <= 0 || p.Objects <= 0 || len(p.Checksum) == 0 {
			return fmt.Errorf("pack %s: row of %d bytes, %d objects, checksum %x", p.Name, p.Bytes, p.Objects, p.Checksum)
		}
		if p.InRow() != (len(p.Index) > 0) || p.InRow() && int64(len(p.Data)) != p.Bytes || p.rowBytes() > MaxRowBytes {
			return fmt.Errorf("pack %s: row of %d bytes has %d of them and %d of the index, limit %d",
				p.Name, p.Bytes, len(p.Data), len(p.Index), MaxRowBytes)
		}
	}
	for _, p := range c.Drop {
		if err := name(p); err != nil {
			return err
		}
	}
	return nil
}
