package repo

import (
	"context"
	"slices"
	"strings"
	"time"
)

// sweepBatch is how many packs Sweep asks the catalogue about at once.
const sweepBatch = 500

// Sweep removes files that no repository names and that are older than the
// grace time, and drafts as old; it returns what it removed. It may run beside
// anything, also beside itself. report, which may be nil, hears of each file
// after it is gone. Files that are not named like those of a pack are left alone.
//
// Why it never removes what somebody needs: docs/decisions/0004-sweep-and-slow-pushes.md.
func (s *Store) Sweep(ctx context.Context, report func(file string, bytes int64)) (files int, bytes int64, err error) {
	before := s.config.Clock().Add(-s.config.Grace)
	if files, err = s.files.SweepDrafts(ctx, before); err != nil {
		return files, 0, err
	}
	w := sweep{store: s, before: before, report: report, files: files}
	var failed error
	err = s.files.List(ctx, packPrefix, func(i FileInfo) bool {
		failed = w.see(ctx, i)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = w.flush(ctx)
	}
	return w.files, w.bytes, err
}

// sweep is one run of Sweep.
type sweep struct {
	store  *Store
	before time.Time
	report func(string, int64)

	batch []FileInfo // old files nobody was asked about yet
	names []string   // their packs

	files int
	bytes int64
}

func (w *sweep) see(ctx context.Context, i FileInfo) error {
	name, ok := packOf(i.Name)
	if !ok || !i.Modified.Before(w.before) {
		return nil
	}
	w.batch = append(w.batch, i)
	if n := len(w.names); n == 0 || w.names[n-1] != name { // the files of a pack follow each other
		w.names = append(w.names, name)
	}
	if len(w.names) < sweepBatch {
		return nil
	}
	return w.flush(ctx)
}

// flush removes those of the batch that nobody names.
func (w *sweep) flush(ctx context.Context) error {
	if len(w.batch) == 0 {
		return nil
	}
	referenced, err := w.store.catalog.Referenced(ctx, w.names, w.before)
	if err != nil {
		return err
	}
	for _, i := range w.batch {
		if name, _ := packOf(i.Name); referenced[name] {
			continue
		}
		if err := w.store.files.Delete(ctx, i.Name); err != nil {
			return err
		}
		w.files++
		w.bytes += i.Bytes
		if w.report != nil {
			w.report(i.Name, i.Bytes)
		}
	}
	w.batch, w.names = w.batch[:0], w.names[:0]
	return nil
}

// packSuffixes end the names of a pack's files: its own two, and what is derived.
var packSuffixes = []string{".pack", ".idx", ".rev", ".bitmap", ".graph"}

// packOf is the inverse of PackFile and its like.
func packOf(file string) (name string, ok bool) {
	_, base, _ := strings.Cut(file, "/pack-")
	name, _, _ = strings.Cut(base, ".")
	suffix := strings.TrimPrefix(base, name)
	if checkPackName(name) != nil || !slices.Contains(packSuffixes, suffix) || file != packFile(name, suffix) {
		return "", false
	}
	return name, true
}
