package revlog

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/commitgraph"
	"github.com/ingot-forge/ingot/git/treepath"
)

// Last says which commit last changed an entry of a directory.
type Last struct {
	Name    string
	Commit  git.ID
	Seconds int64 // committer time
}

// LastCommits finds for each entry of a directory the commit that git log -1 -- entry shows, in
// one walk for all.
//
// The walk goes by date, and each step carries the set of entries for which it is taken: those
// that a commit has in common with a parent go on to that parent, those that differ from all
// parents are found.
type LastCommits struct {
	*ancestry.Commits
	directory *treepath.Finder
	filter    *commitgraph.Path // of the directory; nil: the root
	names     []string
	places    map[string]int
	filters   []*commitgraph.Path // of the entries

	steps   []lastStep
	free    []uint32
	queue   ancestry.Queue[int64]  // of places in steps
	queued  ancestry.Marks[uint32] // the place in steps of a commit's newest, plus one; 0: none
	dates   map[int64]int          // how many steps are queued of each date
	reached ancestry.Marks[set]
	wanted  set // not yet found
	listed  map[git.ID][]treepath.Entry
	empty   []treepath.Entry
	parents []ancestry.Node
}

type lastStep struct {
	node ancestry.Node
	set  set
}

// MaxEntries is how large a directory LastCommits takes.
const MaxEntries = 1 << 16

// listedEntries bounds how many entries of directories are remembered.
const listedEntries = 1 << 18

// NewLastCommits starts from a commit and a directory ("" is the root). Where that is no
// directory, git.ErrNotFound.
func NewLastCommits(ctx context.Context, commits *ancestry.Commits, tip git.ID, directory string) (*LastCommits, error) {
	l := &LastCommits{Commits: commits, places: map[string]int{}, dates: map[int64]int{},
		listed: map[git.ID][]treepath.Entry{}}
	var err error
	if l.directory, err = treepath.New(commits.Objects(), commits.Format(), directory); err != nil {
		return nil, err
	}
	prefix := ""
	if directory = l.directory.Path(); directory != "" {
		prefix, l.filter = directory+"/", commitgraph.NewPath(directory)
	}
	n, err := commits.Find(ctx, tip)
	if err != nil {
		return nil, err
	}
	at, err := l.directory.Find(ctx, commits.Tree(n))
	if err != nil {
		return nil, err
	}
	if !at.IsTree() {
		return nil, fmt.Errorf("directory %q of commit %s: %w", directory, tip, git.ErrNotFound)
	}
	data, err := treepath.Read(ctx, commits.Objects(), at.ID)
	if err != nil {
		return nil, err
	}
	for e, err := range git.Entries(commits.Format(), data) {
		if err != nil {
			return nil, fmt.Errorf("tree %s: %w", at.ID, err)
		}
		if len(l.names) == MaxEntries {
			return nil, fmt.Errorf("directory %q has more than %d entries", directory, MaxEntries)
		}
		if _, ok := l.places[e.Name]; !ok {
			l.places[e.Name] = len(l.names)
			l.names = append(l.names, e.Name)
			l.filters = append(l.filters, commitgraph.NewPath(prefix+e.Name))
		}
	}
	l.empty = make([]treepath.Entry, len(l.names))
	l.wanted = newSet(len(l.names))
	for i := range l.names {
		l.wanted.add(i)
	}
	l.reach(n, l.wanted)
	return l, nil
}

// Names are the entries of the directory, in its order.
func (l *LastCommits) Names() []string { return l.names }

// Next looks at up to as many commits as budget says, and returns what it found. done is true when there
// is no more to find; otherwise another call goes on. It is fine to stop.
func (l *LastCommits) Next(ctx context.Context, budget int) (found []Last, done bool, err error) {
	for ; budget > 0 && l.queue.Len() > 0 && !l.wanted.isEmpty(); budget-- {
		if budget%ancestry.CheckEvery == 0 && ctx.Err() != nil {
			return found, false, ctx.Err()
		}
		place := uint32(l.queue.Pop())
		step := l.steps[place]
		*l.queued.At(step.node) = 0
		if seconds := l.Seconds(step.node); l.dates[seconds] > 1 {
			l.dates[seconds]--
		} else {
			delete(l.dates, seconds)
		}
		step.set.and(l.wanted)
		if !step.set.isEmpty() {
			if err := l.step(ctx, step); err != nil {
				return found, false, err
			}
			for i := range step.set.all() { // what no parent has
				found = append(found, Last{l.names[i], l.ID(step.node), l.Seconds(step.node)})
			}
			l.wanted.andNot(step.set)
		}
		l.free = append(l.free, place)
	}
	return found, l.queue.Len() == 0 || l.wanted.isEmpty(), nil
}

// step sends the entries of a step on to the parents that have the same, and leaves in its
// set those that the commit changed.
func (l *LastCommits) step(ctx context.Context, s lastStep) (err error) {
	if l.parents, err = l.AppendParents(ctx, l.parents[:0], s.node); err != nil {
		return err
	}
	if len(l.parents) == 0 {
		return l.compare(ctx, s, git.ID{}, func(set) {})
	}
	for i, p := range l.parents {
		reach := func(same set) { l.reach(p, same) }
		if i == 0 {
			certain := l.unchanged(s)
			reach(certain)
			s.set.andNot(certain)
		}
		if s.set.isEmpty() {
			return nil
		}
		if err := l.compare(ctx, s, l.Tree(p), reach); err != nil {
			return err
		}
	}
	return nil
}

// unchanged returns the entries that the commit certainly has from its first parent.
func (l *LastCommits) unchanged(s lastStep) set {
	if l.filter != nil && !l.MayChange(s.node, l.filter) {
		return slices.Clone(s.set)
	}
	same := newSet(len(l.names))
	for i := range s.set.all() {
		if !l.MayChange(s.node, l.filters[i]) {
			same.add(i)
		}
	}
	return same
}

// compare takes from the set of a step the entries that are the same in another root tree, and passes them
// on. A zero id is the empty tree.
func (l *LastCommits) compare(ctx context.Context, s lastStep, other git.ID, pass func(set)) error {
	mine, err := l.list(ctx, l.Tree(s.node))
	if err != nil {
		return err
	}
	theirs, err := l.list(ctx, other)
	if err != nil {
		return err
	}
	same := newSet(len(l.names))
	for i := range s.set.all() {
		if mine[i] == theirs[i] {
			same.add(i)
		}
	}
	pass(same)
	s.set.andNot(same)
	return nil
}

// list returns what the directory in a root tree has under the names.
func (l *LastCommits) list(ctx context.Context, root git.ID) ([]treepath.Entry, error) {
	if root.IsZero() {
		return l.empty, nil
	}
	at, err := l.directory.Find(ctx, root)
	if err != nil || !at.IsTree() {
		return l.empty, err
	}
	if known, ok := l.listed[at.ID]; ok {
		return known, nil
	}
	data, err := treepath.Read(ctx, l.Objects(), at.ID)
	if err != nil {
		return nil, err
	}
	entries := make([]treepath.Entry, len(l.names))
	for rest := data; len(rest) > 0; {
		mode, start, end := git.EntrySpan(l.Format(), rest)
		if start == 0 {
			_, _, _, _, err := git.NextEntry(l.Format(), rest)
			return nil, fmt.Errorf("tree %s: %w", at.ID, err)
		}
		if i, ok := l.places[string(rest[start:end])]; ok {
			entries[i] = treepath.Entry{ID: l.Format().FromBytes(rest[end+1:]), Mode: treepath.Mode(mode)}
		}
		rest = rest[end+1+l.Format().Size():]
	}
	if len(l.listed) >= max(16, listedEntries/len(l.names)) {
		clear(l.listed)
	}
	l.listed[at.ID] = entries
	return entries, nil
}

// reach takes a step to a commit for those entries for which it was not reached yet.
func (l *LastCommits) reach(n ancestry.Node, entries set) {
	at := l.reached.At(n)
	fresh := slices.Clone(entries)
	if *at == nil {
		*at = slices.Clone(entries)
	} else {
		fresh.andNot(*at)
		at.or(fresh)
	}
	if fresh.isEmpty() {
		return
	}
	// A step that is queued is taken for these, too. But among commits of one date each entry has to see
	// them in the order in which it came to them.
	seconds := l.Seconds(n)
	if place := *l.queued.At(n); place != 0 && l.dates[seconds] == 1 {
		l.steps[place-1].set.or(fresh)
		return
	}
	place := uint32(len(l.steps))
	if k := len(l.free); k > 0 {
		place, l.free = l.free[k-1], l.free[:k-1]
		l.steps[place] = lastStep{n, fresh}
	} else {
		l.steps = append(l.steps, lastStep{n, fresh})
	}
	*l.queued.At(n) = place + 1
	l.dates[seconds]++
	l.queue.Push(ancestry.Node(place), seconds)
}
