package revision

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// Range is a set of commits: what some reach and others do not.
type Range struct {
	// Items are what the expressions name, in the order and with the ids of git rev-parse.
	Items []Item
}

// Item is a part of a Range.
type Item struct {
	ID   git.ID // as named: perhaps a tag
	Not  bool   // excluded, with all that it reaches
	Left bool   // the left side of x...y
}

// Range reads expressions for sets of commits: x, ^x, x..y, x...y, x^@, x^!, x^-n.
func (r *Resolver) Range(ctx context.Context, expressions ...string) (Range, error) {
	var all Range
	for _, e := range expressions {
		items, err := r.items(ctx, e)
		if err != nil {
			return Range{}, wrap(e, err)
		}
		all.Items = append(all.Items, items...)
	}
	return all, nil
}

// Walk returns what a walk of a range starts from: commits. Anything else is ErrKind.
func (r *Resolver) Walk(ctx context.Context, set Range) (tips, not, left []git.ID, err error) {
	for _, item := range set.Items {
		id, err := r.peel(ctx, item.ID, git.KindCommit)
		if err != nil {
			return nil, nil, nil, err
		}
		switch {
		case item.Not:
			not = append(not, id)
			continue
		case item.Left:
			left = append(left, id)
		}
		tips = append(tips, id)
	}
	return tips, not, left, nil
}

func (r *Resolver) items(ctx context.Context, e string) ([]Item, error) {
	if len(e) > MaxExpression {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrSyntax, MaxExpression)
	}
	var sides error // what is wrong with the sides of a range
	if dots := strings.Index(e, ".."); dots >= 0 && e != ".." {
		var items []Item
		if items, sides = r.difference(ctx, e, dots); sides == nil || ctx.Err() != nil {
			return items, sides
		}
	}
	if items, err := r.relatives(ctx, e); items != nil || err != nil {
		return items, err
	}
	name, not := strings.CutPrefix(e, "^")
	found, err := r.resolve(ctx, name, Any)
	if err != nil && sides != nil {
		return nil, sides
	} else if err != nil {
		return nil, err
	}
	return []Item{{ID: found.ID, Not: not}}, nil
}

// difference reads x..y and x...y; what is missing is HEAD.
func (r *Resolver) difference(ctx context.Context, e string, dots int) ([]Item, error) {
	from, to := e[:dots], e[dots+2:]
	to, symmetric := strings.CutPrefix(to, ".")
	var sides [2]git.ID
	for i, name := range []string{from, to} {
		if name == "" {
			name = "HEAD"
		}
		found, err := r.resolve(ctx, name, Commitish)
		if err != nil {
			return nil, err
		}
		sides[i] = found.ID
	}
	if !symmetric {
		return []Item{{ID: sides[1]}, {ID: sides[0], Not: true}}, nil
	}
	items := []Item{{ID: sides[1]}, {ID: sides[0], Left: true}}
	var commits [2]git.ID
	for i, id := range sides {
		var err error
		if commits[i], err = r.peel(ctx, id, git.KindCommit); err != nil {
			return nil, err
		}
	}
	nodes, err := r.Commits.FindAll(ctx, commits[:])
	if err != nil {
		return nil, err
	}
	bases, err := r.Commits.MergeBases(ctx, nodes[0], nodes[1])
	if err != nil {
		return nil, err
	}
	for _, b := range bases {
		items = append(items, Item{ID: r.Commits.ID(b), Not: true})
	}
	return items, nil
}

// relatives reads x^@, all parents; x^!, x alone; and x^-n, x without its parent n. It returns nothing
// where the expression is none of them.
func (r *Resolver) relatives(ctx context.Context, e string) ([]Item, error) {
	name, only := e, 0
	itself, excluded := true, true
	switch at := strings.LastIndex(e, "^-"); {
	case strings.HasSuffix(e, "^!"):
		name = e[:len(e)-2]
	case strings.HasSuffix(e, "^@"):
		name, itself, excluded = e[:len(e)-2], false, false
	case at >= 0 && strings.Trim(e[at+2:], "0123456789") == "":
		name, only = e[:at], 1
		if number := e[at+2:]; number != "" {
			n, err := strconv.ParseUint(number, 10, 31)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("%w: there is no parent %s", ErrSyntax, number)
			}
			only = int(n)
		}
	default:
		return nil, nil
	}
	if name == "" { // ^@ is ^HEAD
		return nil, nil
	}
	found, err := r.resolve(ctx, name, Commitish)
	if err != nil {
		return nil, err
	}
	id, err := r.peel(ctx, found.ID, git.KindCommit)
	if err != nil {
		return nil, err
	}
	parents, err := r.parents(ctx, id)
	if err != nil {
		return nil, err
	}
	if only > len(parents) {
		return nil, fmt.Errorf("%w: commit %s has %d parents, not %d", git.ErrNotFound, id, len(parents), only)
	}
	items := []Item{}
	if itself {
		items = append(items, Item{ID: found.ID})
	}
	for i, p := range parents {
		if only == 0 || only == i+1 {
			items = append(items, Item{ID: r.Commits.ID(p), Not: excluded})
		}
	}
	return items, nil
}
