package repo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pack"
)

// linker collects the links of objects that come from several goroutines at
// once, and then judges them.
//
// Most of what trees name was named a moment before by another version of the
// same tree: git's own history has 60 million tree entries and 400,000 distinct
// ids. So every goroutine has a small cache of ids that it has passed on, and
// only the rest goes to the ledger, which they share.
type linker struct {
	format git.Format
	ledger *ledger
	// most returns how many ids may be named by now that were not objects
	// before; nil means any number.
	most func() int64
	// wanted, if not nil, chooses the ids to note at all. Links from an object
	// that is not noted are noted as from nobody.
	wanted func(id git.ID) bool

	mu   sync.Mutex
	idle []*collector
}

// collector is the linker's part that belongs to one goroutine at a time.
type collector struct {
	*linker
	recent  []recentLink // direct-mapped by the ids' leading bytes; a power of two of them
	trees   int          // seen
	parents []git.ID
}

// recentLink is an id in words, and what it was named as.
type recentLink struct{ a, b, c, d, kind uint64 }

// is compares word by word: for a struct of this size == calls a function.
func (r *recentLink) is(l *recentLink) bool {
	return r.a == l.a && r.b == l.b && r.c == l.c && r.d == l.d && r.kind == l.kind
}

// A collector remembers few links at first, because most pushes are small, and
// after some trees as many as stay in a core's second-level cache: 640 KiB.
const (
	fewLinks     = 1 << 9
	manyLinks    = 1 << 14
	treesForMany = 64 // trees after which the larger table pays
)

func newLinker(f git.Format) *linker { return &linker{format: f, ledger: newLedger()} }

// errLedgerFull cannot happen below four thousand million ids.
var errLedgerFull = errors.New("too many objects to check their links")

// object notes an object and what it names. data is its content; nil will do
// for a blob.
func (l *linker) object(id git.ID, kind git.Kind, data []byte) error {
	number := uint32(nobody)
	if l.wanted == nil || l.wanted(id) {
		var ok bool
		if number, ok = l.ledger.object(id, kind); !ok {
			return errLedgerFull
		}
	}
	if kind == git.KindBlob {
		return nil
	}
	c := l.collector()
	defer l.done(c)
	var err error
	switch kind {
	case git.KindTree:
		err = c.tree(number, data)
	case git.KindCommit:
		err = c.commit(number, data)
	case git.KindTag:
		var tag *git.Tag
		if tag, err = git.ParseTag(l.format, data); err == nil {
			err = c.name(number, tag.Target, tag.TargetKind)
		}
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind, l.format.Hex(id), err)
	}
	return nil
}

func (l *linker) collector() *collector {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.idle); n > 0 {
		c := l.idle[n-1]
		l.idle = l.idle[:n-1]
		return c
	}
	return &collector{linker: l, recent: make([]recentLink, fewLinks)}
}

func (l *linker) done(c *collector) {
	l.mu.Lock()
	l.idle = append(l.idle, c)
	l.mu.Unlock()
}

func (c *collector) commit(number uint32, data []byte) error {
	tree, parents, _, err := git.CommitLinks(c.format, data, c.parents[:0])
	if err != nil {
		return err
	}
	c.parents = parents
	if err := c.name(number, tree, git.KindTree); err != nil {
		return err
	}
	for _, p := range parents {
		if err := c.name(number, p, git.KindCommit); err != nil {
			return err
		}
	}
	return nil
}

// entryKind returns what an entry of a mode must be; ok is false for a
// submodule, which is a commit of another repository.
func entryKind(mode git.Mode) (kind git.Kind, ok bool) {
	const typeBits = 0o170000
	switch mode & typeBits {
	case git.ModeTree:
		return git.KindTree, true
	case git.ModeSubmodule:
		return 0, false
	}
	return git.KindBlob, true
}

func (c *collector) tree(number uint32, data []byte) error {
	if c.trees++; c.trees == treesForMany {
		c.recent = make([]recentLink, manyLinks)
	}
	size, mask := c.format.Size(), uint64(len(c.recent)-1)
	for rest := data; len(rest) > 0; {
		mode, start, end := git.EntrySpan(c.format, rest)
		if start == 0 {
			_, _, _, _, err := git.NextEntry(c.format, rest)
			return fmt.Errorf("tree entry at byte %d: %w", len(data)-len(rest), err)
		}
		raw := rest[end+1 : end+1+size]
		rest = rest[end+1+size:]

		link := recentLink{a: binary.LittleEndian.Uint64(raw), b: binary.LittleEndian.Uint64(raw[8:])}
		if size == 32 {
			link.c, link.d = binary.LittleEndian.Uint64(raw[16:]), binary.LittleEndian.Uint64(raw[24:])
		} else {
			link.c = uint64(binary.LittleEndian.Uint32(raw[16:]))
		}
		kind, ok := entryKind(mode)
		if !ok {
			continue
		}
		link.kind = uint64(kind)
		recent := &c.recent[link.a&mask]
		if recent.is(&link) {
			continue
		}
		if err := c.name(number, c.format.FromBytes(raw), kind); err != nil {
			return err
		}
		*recent = link
	}
	return nil
}

// name passes a link on to the ledger.
func (c *collector) name(number uint32, id git.ID, kind git.Kind) error {
	if c.wanted != nil && !c.wanted(id) {
		return nil
	}
	if !c.ledger.name(number, id, kind) {
		return errLedgerFull
	}
	if c.most == nil {
		return nil
	}
	// Only what was sent can be named: an id is random bytes that no pack can
	// make shorter. Ids that are not (counters, say, at two bytes each) are no
	// objects', and would fill the memory before that shows.
	if most := c.most(); c.ledger.named.Load() > most {
		return &pack.LimitError{Limit: "ids named by objects", Max: most}
	}
	return nil
}
