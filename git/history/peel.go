package history

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// headerFunc tells an object's kind and size.
type headerFunc func(ctx context.Context, id git.ID) (git.Kind, int64, error)

// headerByReading is the headerFunc for when there is no cheaper one.
func headerByReading(objects git.Objects) headerFunc {
	return func(ctx context.Context, id git.ID) (git.Kind, int64, error) {
		kind, data, err := objects.Object(ctx, id)
		return kind, int64(len(data)), err
	}
}

// peeled is a list of objects sorted by kind, each once, in the order in which
// they came, with all that their tags point to.
type peeled struct {
	commits, trees, blobs, tags []git.ID
}

// peel sorts ids by kind and follows tags. With lenient set, ids that are not
// in the repository are passed over.
func peel(ctx context.Context, objects git.Objects, f git.Format, header headerFunc, ids []git.ID, lenient bool) (peeled, error) {
	var p peeled
	seen := make(map[git.ID]bool, len(ids))
	for _, id := range ids {
		named := git.Kind(0) // what the tag says that id is
		for !seen[id] {
			seen[id] = true
			if err := ctx.Err(); err != nil {
				return p, err
			}
			kind, _, err := header(ctx, id)
			if err != nil {
				if lenient && named == 0 && errors.Is(err, git.ErrNotFound) {
					break
				}
				return p, err
			}
			if named != 0 && named != kind {
				return p, wrongKind(id, kind, named)
			}
			switch kind {
			case git.KindCommit:
				p.commits = append(p.commits, id)
			case git.KindTree:
				p.trees = append(p.trees, id)
			case git.KindBlob:
				p.blobs = append(p.blobs, id)
			case git.KindTag:
				p.tags = append(p.tags, id)
				if id, named, err = tagTarget(ctx, objects, f, id); err != nil {
					return p, err
				}
			}
		}
	}
	return p, nil
}

// tagTarget reads a tag and returns what it points to.
func tagTarget(ctx context.Context, objects git.Objects, f git.Format, id git.ID) (git.ID, git.Kind, error) {
	data, err := read(ctx, objects, id, git.KindTag)
	if err != nil {
		return git.ID{}, 0, err
	}
	tag, err := git.ParseTag(f, data)
	if err != nil {
		return git.ID{}, 0, fmt.Errorf("tag %s: %w", id, err)
	}
	return tag.Target, tag.TargetKind, nil
}

// read returns the content of an object that must be of the given kind.
func read(ctx context.Context, objects git.Objects, id git.ID, want git.Kind) ([]byte, error) {
	kind, data, err := objects.Object(ctx, id)
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
