package merge

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// store is the objects of the repository, with those above that merges make.
type store struct {
	ctx     context.Context
	objects git.Objects
	format  git.Format
	hasher  *git.Hasher
	made    git.Memory
	empty   git.ID // the empty blob
}

func newStore(ctx context.Context, objects git.Objects, f git.Format) *store {
	s := &store{ctx: ctx, objects: objects, format: f, hasher: git.NewHasher(f), made: git.Memory{}}
	s.empty, _ = s.hasher.Hash(git.KindBlob, nil)
	return s
}

// Object implements git.Objects.
func (s *store) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	if o, ok := s.made[id]; ok {
		return o.Kind, o.Data, nil
	}
	return s.objects.Object(ctx, id)
}

func (s *store) read(id git.ID, want git.Kind, path string) ([]byte, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	kind, data, err := s.Object(s.ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, err)
	}
	if kind != want {
		return nil, fmt.Errorf("%w: %q is the %s %s, not a %s", git.ErrCorrupt, path, kind, id, want)
	}
	return data, nil
}

func (s *store) write(kind git.Kind, data []byte) (git.ID, error) {
	id, err := s.hasher.Hash(kind, data)
	if err != nil {
		return git.ID{}, err
	}
	if _, ok := s.made[id]; !ok {
		o := s.made[id]
		o.Kind, o.Data = kind, data
		s.made[id] = o
	}
	return id, nil
}

// collect puts into a result what it needs of the objects that were made.
func (s *store) collect(r *Result) error {
	r.Objects = git.Memory{}
	todo := []git.ID{r.Tree}
	for _, c := range r.Conflicts {
		todo = append(todo, c.Base.ID, c.Ours.ID, c.Theirs.ID)
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		o, ok := s.made[id]
		if !ok {
			continue
		}
		if _, ok := r.Objects[id]; ok {
			continue
		}
		r.Objects[id] = o
		if o.Kind != git.KindTree {
			continue
		}
		for e, err := range git.Entries(s.format, o.Data) {
			if err != nil {
				return err
			}
			todo = append(todo, e.ID)
		}
	}
	return nil
}
