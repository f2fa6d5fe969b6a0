package revision

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// searchAll finds the newest commit that any ref reaches and that says a text: :/text.
func (r *Resolver) searchAll(ctx context.Context, text string) (git.ID, error) {
	var tips []ancestry.Node
	add := func(id git.ID) error {
		id, err := r.untag(ctx, id)
		if err != nil {
			return err
		}
		n, err := r.Commits.Find(ctx, id)
		if errors.Is(err, git.ErrCorrupt) {
			return nil // a ref to something else
		}
		tips = append(tips, n)
		return err
	}
	for ref, err := range r.Names.Refs(ctx) {
		if err != nil {
			return git.ID{}, err
		}
		if err := add(ref.ID); err != nil {
			return git.ID{}, fmt.Errorf("ref %q: %w", ref.Name, err)
		}
	}
	if id, _, found, err := r.Names.Ref(ctx, "HEAD"); err != nil {
		return git.ID{}, err
	} else if found {
		if err := add(id); err != nil {
			return git.ID{}, err
		}
	}
	slices.Reverse(tips)
	return r.search(ctx, tips, text)
}

// searchFrom finds the newest commit that a commit reaches and that says a text: x^{/text}.
func (r *Resolver) searchFrom(ctx context.Context, id git.ID, text string) (git.ID, error) {
	n, err := r.Commits.Find(ctx, id)
	if err != nil {
		return git.ID{}, err
	}
	return r.search(ctx, []ancestry.Node{n}, text)
}

func (r *Resolver) search(ctx context.Context, tips []ancestry.Node, text string) (git.ID, error) {
	pattern, negative := text, false
	if rest, ok := strings.CutPrefix(pattern, "!"); ok {
		switch {
		case strings.HasPrefix(rest, "-"):
			pattern, negative = rest[1:], true
		case strings.HasPrefix(rest, "!"):
			pattern = rest
		default:
			return git.ID{}, fmt.Errorf("%w: what follows :/! is ! or -", ErrSyntax)
		}
	}
	expr, err := compile(pattern)
	if err != nil {
		return git.ID{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	c := r.Commits
	slices.SortStableFunc(tips, func(a, b ancestry.Node) int { return cmp.Compare(c.Seconds(b), c.Seconds(a)) })
	var queue ancestry.Queue[int64]
	var seen ancestry.Marks[bool]
	var parents []ancestry.Node
	push := func(n ancestry.Node) {
		if at := seen.At(n); !*at {
			*at = true
			queue.Push(n, c.Seconds(n))
		}
	}
	for _, n := range tips {
		push(n)
	}
	limit := r.MaxSearch
	if limit <= 0 {
		limit = DefaultSearch
	}
	for looked := 0; queue.Len() > 0; looked++ {
		if looked == limit {
			return git.ID{}, fmt.Errorf("%w: none of %d commits says %q, and the search ends there", git.ErrNotFound, limit, text)
		}
		if err := ctx.Err(); err != nil {
			return git.ID{}, err
		}
		n := queue.Pop()
		_, data, err := c.Objects().Object(ctx, c.ID(n))
		if err != nil {
			return git.ID{}, err
		}
		// What has no message says nothing, and does not even match an empty text.
		_, message, ok := bytes.Cut(data, []byte("\n\n"))
		if (ok && expr.Match(message)) != negative {
			return c.ID(n), nil
		}
		if parents, err = c.AppendParents(ctx, parents[:0], n); err != nil {
			return git.ID{}, err
		}
		for _, p := range parents {
			push(p)
		}
	}
	return git.ID{}, fmt.Errorf("%w: no commit says %q", git.ErrNotFound, text)
}

// compile reads an extended regular expression of POSIX, in which dots match line feeds, and ^ and $ only the
// ends of the text. What that syntax lacks (\w, \b) is taken as GNU's.
func compile(pattern string) (*regexp.Regexp, error) {
	const posix = syntax.DotNL | syntax.ClassNL | syntax.OneLine
	parsed, err := syntax.Parse(pattern, posix)
	if err != nil {
		if parsed, err = syntax.Parse(pattern, posix|syntax.PerlX); err != nil {
			return nil, err
		}
	}
	return regexp.Compile(parsed.String())
}
