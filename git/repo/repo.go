// Package repo is a git repository made of immutable packs and one small
// mutable cell, the catalogue.
//
// Reading goes through a Snapshot, which shows one version of the repository
// for as long as it is open. Writing takes two steps: packs are staged, where
// nobody can see them (Ingest, Stage), and then one Commit makes packs, refs,
// ref log and event log visible together. A crash in between leaves files that
// nothing names; Sweep removes them after a grace time. Compact joins packs in the
// same two steps, leaves out what no ref has reached for long, and writes what walks may
// ask instead of objects: derived data.
//
// What always holds: all that a ref reaches is in the repository's packs (Ingest checks the links
// of every object it takes in, and that what it names outside the pack is reachable), so a
// reader who comes from a ref never meets a missing object. Derived data change no
// answer.
//
// Files and Catalog are the two ports on which all of this stands.
package repo

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/ingot-forge/ingot/git/fsck"
	"github.com/ingot-forge/ingot/git/pack"
)

// MaxGrace is the longest Config.Grace: catalogues remember dropped packs for so long.
const MaxGrace = 30 * 24 * time.Hour

// MaxRowBytes is the most that a pack with its index may have in its row.
const MaxRowBytes = 1 << 20

// Config bounds a Store. The zero value of a field means its default.
type Config struct {
	CacheBytes int64         // inflated delta bases, all repositories together; 128 MiB
	OpenPacks  int           // packs kept open, and what is derived of as many, all repositories together; 512
	States     int           // repository states kept in memory; 1,024
	StateBytes int64         // that they take; 256 MiB
	RowBytes   int           // of a pack with its index in its row, not in files; 64 KiB, at most MaxRowBytes; below 0: none
	Workers    int           // goroutines of one ingest; GOMAXPROCS
	Limits     pack.Limits   // of one ingest; none
	Refs       int           // that one change may move; 100,000
	EntryName  int           // bytes of a name in a tree; fsck.MaxNameSize, which it can only lower
	Grace      time.Duration // how long what nothing names is kept: see Sweep; 24 hours, at most MaxGrace
	// DeriveFrom is how many objects a pack has from which on derived data of it are written
	// and looked for (those of a megabyte have them in any case); 1,000.
	DeriveFrom int
	// Damaged hears of derived data that are done without because they are damaged; it may be
	// called from several goroutines at once, and again for the same file. May be nil.
	Damaged func(file string, err error)
	Clock   func() time.Time
}

func (c Config) withDefaults() Config {
	c.CacheBytes = cmp.Or(c.CacheBytes, 128<<20)
	c.OpenPacks = cmp.Or(c.OpenPacks, 512)
	c.States = cmp.Or(c.States, 1024)
	c.StateBytes = cmp.Or(c.StateBytes, 256<<20)
	c.RowBytes = min(max(cmp.Or(c.RowBytes, 64<<10), 0), MaxRowBytes)
	c.Refs = cmp.Or(c.Refs, 100_000)
	c.EntryName = cmp.Or(c.EntryName, fsck.MaxNameSize)
	c.DeriveFrom = cmp.Or(c.DeriveFrom, 1000)
	c.Grace = min(cmp.Or(c.Grace, 24*time.Hour), MaxGrace)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Store opens and changes repositories. All methods may be called from several
// goroutines at once, and any number of Stores, on any number of machines, may
// share one Files and one Catalog. What a Store keeps in memory is never taken
// on trust: each Snapshot asks the catalogue whether it is current.
type Store struct {
	files   Files
	catalog Catalog
	config  Config
	states  states
	packs   openPacks
	derived derived
}

// New returns a Store. It starts no goroutine.
func New(files Files, catalog Catalog, c Config) *Store {
	c = c.withDefaults()
	s := &Store{
		files:   files,
		catalog: catalog,
		config:  c,
		states:  states{max: c.States, maxBytes: c.StateBytes},
		packs:   openPacks{files: files, cache: pack.NewCache(c.CacheBytes)},
	}
	s.derived = derived{files: files, packs: &s.packs, config: &s.config}
	s.packs.max = int64(c.OpenPacks)
	s.derived.byPack.max = 2 * int64(c.OpenPacks) // idle stacks may hold half of it: see stackWeight
	s.derived.bitmaps.max, s.derived.graphs.max = openPositions, openPositions
	s.packs.rev = s.derived.rev
	return s
}

// Close lets go of open packs. Snapshots must be closed before: those of packs
// that one still holds are an error.
func (s *Store) Close() error {
	held := s.derived.close() // it holds packs
	if held += s.packs.close(); held > 0 {
		return fmt.Errorf("%d packs or files are still held by open snapshots", held)
	}
	return nil
}

// NameSize is the length of a pack's name: that of 16 random bytes in
// hexadecimal. A name says nothing of the content: see docs/decisions/0003-pack-names.md.
const NameSize = 32

const packPrefix = "packs/"

// PackFile and IndexFile name the two files of a pack: "packs/3f/pack-3f….pack".
func PackFile(name string) string  { return packFile(name, ".pack") }
func IndexFile(name string) string { return packFile(name, ".idx") }

// RevFile, BitmapFile and GraphFile name what is derived from a pack and those below it.
func RevFile(name string) string    { return packFile(name, ".rev") }
func BitmapFile(name string) string { return packFile(name, ".bitmap") }
func GraphFile(name string) string  { return packFile(name, ".graph") }

func packFile(name, suffix string) string {
	return packPrefix + name[:min(2, len(name))] + "/pack-" + name + suffix
}

var errPackName = errors.New("a pack's name is 32 lower-case hexadecimal digits")

func checkPackName(name string) error {
	if len(name) != NameSize {
		return fmt.Errorf("bad pack name %.40q: %w", name, errPackName)
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("bad pack name %q: %w", name, errPackName)
		}
	}
	return nil
}
