package history

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// peeled is a list of objects sorted by kind, each once, in the order in which
// they came, with all that their tags point to.
type peeled struct {
	commits, trees, blobs, tags []git.ID
}

// peel sorts ids by kind and follows tags. With lenient set, ids that are not
// in the repository are passed over.
func (s *source) peel(ctx context.Context, ids []git.ID, lenient bool) (peeled, error) {
	var p peeled
	seen := newIDTable()
	for _, id := range ids {
		named := git.Kind(0) // what the tag says that id is
		for {
			if _, fresh := seen.add(&id); !fresh {
				break
			}
			if err := ctx.Err(); err != nil {
				return p, err
			}
			kind, err := s.kind(ctx, id)
			if err != nil {
				if lenient && named == 0 && errors.Is(err, git.ErrNotFound) {
					break
				}
				return p, err
			}
			if named != 0 && named != kind {
				return p, wrongKind(id, kind, named)
			}
			if p.put(id, kind); kind != git.KindTag {
				break
			}
			if id, named, err = s.tagTarget(ctx, id); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// put adds an id to the list of its kind.
func (p *peeled) put(id git.ID, kind git.Kind) {
	switch kind {
	case git.KindCommit:
		p.commits = append(p.commits, id)
	case git.KindTree:
		p.trees = append(p.trees, id)
	case git.KindBlob:
		p.blobs = append(p.blobs, id)
	case git.KindTag:
		p.tags = append(p.tags, id)
	}
}

// tagTarget reads a tag and returns what it points to.
func (s *source) tagTarget(ctx context.Context, id git.ID) (git.ID, git.Kind, error) {
	data, err := s.read(ctx, id, git.KindTag)
	if err != nil {
		return git.ID{}, 0, err
	}
	tag, err := git.ParseTag(s.format, data)
	if err != nil {
		return git.ID{}, 0, fmt.Errorf("tag %s: %w", id, err)
	}
	return tag.Target, tag.TargetKind, nil
}
