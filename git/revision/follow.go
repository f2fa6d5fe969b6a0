package revision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/treepath"
)

// follow goes from an object where a suffix leads.
func (r *Resolver) follow(ctx context.Context, id git.ID, s suffix) (git.ID, error) {
	switch {
	case s.op == '^':
		return r.parent(ctx, id, s.n)
	case s.op == '~':
		return r.ancestor(ctx, id, s.n)
	case s.kind == "":
		return r.untag(ctx, id)
	case s.kind == "object":
		_, err := r.kind(ctx, id)
		return id, err
	case s.kind[0] == '/':
		id, err := r.peel(ctx, id, git.KindCommit)
		if err != nil || s.kind == "/" {
			return id, err
		}
		return r.searchFrom(ctx, id, s.kind[1:])
	}
	kind, err := git.ParseKind(s.kind)
	if err != nil {
		return git.ID{}, err
	}
	return r.peel(ctx, id, kind)
}

func (r *Resolver) parent(ctx context.Context, id git.ID, n int) (git.ID, error) {
	id, err := r.peel(ctx, id, git.KindCommit)
	if err != nil || n == 0 {
		return id, err
	}
	parents, err := r.parents(ctx, id)
	if err != nil {
		return git.ID{}, err
	}
	if n > len(parents) {
		return git.ID{}, fmt.Errorf("%w: commit %s has %d parents, not %d", git.ErrNotFound, id, len(parents), n)
	}
	return r.Commits.ID(parents[n-1]), nil
}

func (r *Resolver) parents(ctx context.Context, id git.ID) ([]ancestry.Node, error) {
	n, err := r.Commits.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.Commits.AppendParents(ctx, nil, n)
}

func (r *Resolver) ancestor(ctx context.Context, id git.ID, steps int) (git.ID, error) {
	id, err := r.peel(ctx, id, git.KindCommit)
	if err != nil {
		return git.ID{}, err
	}
	n, err := r.Commits.Find(ctx, id)
	if err != nil {
		return git.ID{}, err
	}
	var parents []ancestry.Node
	for i := range steps {
		if i%ancestry.CheckEvery == 0 && ctx.Err() != nil {
			return git.ID{}, ctx.Err()
		}
		if parents, err = r.Commits.AppendParents(ctx, parents[:0], n); err != nil {
			return git.ID{}, err
		}
		if len(parents) == 0 {
			return git.ID{}, fmt.Errorf("%w: history of %s ends after %d steps, before %d", git.ErrNotFound, id, i, steps)
		}
		n = parents[0]
	}
	return r.Commits.ID(n), nil
}

// kind returns the kind of an object.
func (r *Resolver) kind(ctx context.Context, id git.ID) (git.Kind, error) {
	if r.Kind != nil {
		return r.Kind(ctx, id)
	}
	kind, _, err := r.Commits.Objects().Object(ctx, id)
	return kind, err
}

// tag decodes an object that is known to be a tag.
func (r *Resolver) tag(ctx context.Context, id git.ID) (*git.Tag, error) {
	_, data, err := r.Commits.Objects().Object(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := git.ParseTag(r.Commits.Format(), data)
	if err != nil {
		return nil, fmt.Errorf("tag %s: %w", id, err)
	}
	return t, nil
}

// maxTags is how many tags of tags are followed.
const maxTags = 1 << 10

// untag follows tags to what is none.
func (r *Resolver) untag(ctx context.Context, id git.ID) (git.ID, error) {
	for range maxTags {
		kind, err := r.kind(ctx, id)
		if err != nil || kind != git.KindTag {
			return id, err
		}
		t, err := r.tag(ctx, id)
		if err != nil {
			return git.ID{}, err
		}
		id = t.Target
	}
	return git.ID{}, fmt.Errorf("%w: more than %d tags of tags", ErrKind, maxTags)
}

// peel follows tags, and a commit to its tree, to an object of a kind.
func (r *Resolver) peel(ctx context.Context, id git.ID, want git.Kind) (git.ID, error) {
	for range maxTags {
		kind, err := r.kind(ctx, id)
		switch {
		case err != nil:
			return git.ID{}, err
		case kind == want:
			return id, nil
		case kind == git.KindTag:
			t, err := r.tag(ctx, id)
			if err != nil {
				return git.ID{}, err
			}
			id = t.Target
		case kind == git.KindCommit && want != git.KindTag:
			n, err := r.Commits.Find(ctx, id)
			if err != nil {
				return git.ID{}, err
			}
			id = r.Commits.Tree(n)
		default:
			return git.ID{}, fmt.Errorf("%w: %s is a %s, where a %s is needed", ErrKind, id, kind, want)
		}
	}
	return git.ID{}, fmt.Errorf("%w: more than %d tags of tags", ErrKind, maxTags)
}

// inTree resolves x:path.
func (r *Resolver) inTree(ctx context.Context, expression, path string) (Found, error) {
	id, err := r.object(ctx, expression, Treeish)
	if err != nil {
		return Found{}, err
	}
	if strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") {
		return Found{}, fmt.Errorf("%w: path %q is relative, and there is no working tree here", ErrSyntax, path)
	}
	tree, err := r.peel(ctx, id, git.KindTree)
	if err != nil {
		return Found{}, err
	}
	finder, err := treepath.New(r.Commits.Objects(), r.Commits.Format(), path)
	if errors.Is(err, treepath.ErrPath) {
		return Found{}, fmt.Errorf("%w: %w", git.ErrNotFound, err)
	} else if err != nil {
		return Found{}, err
	}
	at, err := finder.Find(ctx, tree)
	if err != nil {
		return Found{}, err
	}
	if !at.Exists() || strings.HasSuffix(path, "/") && !at.IsTree() {
		return Found{}, fmt.Errorf("%w: path %q does not exist in %q", git.ErrNotFound, path, expression)
	}
	return Found{ID: at.ID, Path: path, Mode: at.Mode}, nil
}
