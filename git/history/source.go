package history

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// source is what walks read from: objects, and what is derived from them.
type source struct {
	objects git.Objects
	format  git.Format
	Derived
}

// kind tells an object's kind, from the cheapest that knows it.
func (s *source) kind(ctx context.Context, id git.ID) (git.Kind, error) {
	if s.Graph != nil {
		if _, ok := s.Graph.Find(id); ok {
			return git.KindCommit, nil
		}
	}
	if s.Bitmaps != nil {
		if at, ok := s.Bitmaps.Find(id); ok {
			return s.Bitmaps.Kind(at), nil
		}
	}
	kind, _, err := s.header(ctx, id)
	return kind, err
}

// header tells an object's kind and size.
func (s *source) header(ctx context.Context, id git.ID) (git.Kind, int64, error) {
	if s.Header != nil {
		return s.Header(ctx, id)
	}
	kind, data, err := s.objects.Object(ctx, id)
	return kind, int64(len(data)), err
}

// read returns the content of an object that must be of the given kind.
func (s *source) read(ctx context.Context, id git.ID, want git.Kind) ([]byte, error) {
	kind, data, err := s.objects.Object(ctx, id)
	if err != nil {
		return nil, err
	}
	if kind != want {
		return nil, wrongKind(id, kind, want)
	}
	return data, nil
}

func wrongKind(id git.ID, is, named git.Kind) error {
	return fmt.Errorf("%w: object %s is a %s but is named as a %s", git.ErrCorrupt, id, is, named)
}
