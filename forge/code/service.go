package code

import (
	"context"
	"strings"
	"sync"

	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/treepath"
)

// Service keeps what is costly to find and follows from an id alone, so that it
// never is out of date. Whoever asks it has opened the id by a View. It may be used
// from several goroutines at once.
type Service struct {
	histories kept[past]
	makeups   kept[makeup]
}

// NewService returns a Service, with nothing kept yet.
func NewService() *Service { return &Service{} }

// maxKept bounds what one kind of answer keeps, in its units: languages, contributors.
const maxKept = 1 << 18

// kept are answers by id, those used longest ago leaving first, by generations.
type kept[T any] struct {
	mu         sync.Mutex // guards all below
	young, old map[git.ID]keptOne[T]
	units      int // of young
}

type keptOne[T any] struct {
	value T
	units int
}

func (k *kept[T]) get(id git.ID) (value T, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one, ok := k.young[id]
	if !ok {
		if one, ok = k.old[id]; ok {
			k.keep(id, one)
		}
	}
	return one.value, ok
}

func (k *kept[T]) put(id git.ID, value T, units int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(id, keptOne[T]{value, units})
}

func (k *kept[T]) keep(id git.ID, one keptOne[T]) {
	if k.units+one.units > maxKept/2 || k.young == nil {
		k.old, k.young, k.units = k.young, map[git.ID]keptOne[T]{}, 0
	}
	k.young[id] = one
	k.units += one.units
}

// makeup is what a tree consists of.
type makeup struct {
	files     int
	bytes     int64
	languages map[string]int64 // bytes by language
}

// Languages returns how many bytes of a tree are in which language, by the names of files.
func (s *Service) Languages(ctx context.Context, v *View, tree git.ID) (map[string]int64, error) {
	m, err := s.makeup(ctx, v, tree)
	return m.languages, err
}

// makeup adds a tree up. Directories that are in it twice are looked at once for each place.
func (s *Service) makeup(ctx context.Context, v *View, tree git.ID) (makeup, error) {
	if m, ok := s.makeups.get(tree); ok {
		return m, nil
	}
	done, err := v.Turn(ctx)
	if err != nil {
		return makeup{}, err
	}
	defer done()
	m := makeup{languages: map[string]int64{}}
	stack := []git.ID{tree}
	for trees := 0; len(stack) > 0; trees++ {
		if trees == maxTrees || m.files > maxFiles {
			return makeup{}, errTooManyFiles()
		}
		data, err := treepath.Read(ctx, v.snap, stack[len(stack)-1])
		if err != nil {
			return makeup{}, err
		}
		stack = stack[:len(stack)-1]
		for e, err := range git.Entries(v.Format, data) {
			if err != nil {
				return makeup{}, err
			}
			switch mode := treepath.Mode(e.Mode); mode {
			case git.ModeTree:
				stack = append(stack, e.ID)
			case git.ModeBlob, git.ModeExecutable, git.ModeSymlink:
				_, size, err := v.snap.Header(ctx, e.ID)
				if err != nil {
					return makeup{}, err
				}
				m.files++
				m.bytes += size
				if language := LanguageOf(e.Name); language != "" && mode != git.ModeSymlink && size > 0 {
					m.languages[language] += size
				}
			}
		}
	}
	s.makeups.put(tree, m, 1+len(m.languages))
	return m, nil
}

// Limits of a tree that is added up.
const (
	maxTrees = 1 << 20
	maxFiles = 4 << 20
)

// Stats are a repository's sizes at a commit.
type Stats struct {
	Commits, Branches, Tags, Files, Contributors int
	Bytes                                        int64 // of the files
	Languages                                    map[string]int64
}

// Stats counts what a commit has and reaches, and the branches and tags there are.
func (s *Service) Stats(ctx context.Context, v *View, commit git.ID) (Stats, error) {
	c, err := v.commit(ctx, commit)
	if err != nil {
		return Stats{}, err
	}
	m, err := s.makeup(ctx, v, c.Tree)
	if err != nil {
		return Stats{}, err
	}
	h, err := s.history(ctx, v, commit)
	if err != nil {
		return Stats{}, err
	}
	return Stats{Commits: h.commits, Contributors: len(h.contributors), Files: m.files, Bytes: m.bytes, Languages: m.languages,
		Branches: v.count(heads), Tags: v.count(tags)}, nil
}

func (v *View) count(prefix string) int {
	return len(hosting.Refs(v.State(), prefix, "", v.State().Refs.Len()))
}

// LanguageOf returns the language of a file by its name; "" if none is known.
func LanguageOf(name string) string {
	if language := byName[name]; language != "" {
		return language
	}
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return ""
	}
	return byExtension[strings.ToLower(name[at:])]
}
