// Package revision turns the names that people give to objects into ids: the syntax of gitrevisions(7),
// as git rev-parse has it.
//
//	main, v1.2, refs/heads/main, HEAD, @      refs, in git's order of places
//	1a2b3c4, v1.2-5-g1a2b3c4                  ids cut short, and what git describe says
//	main@{1}, main@{2024-01-31}, main@{u}     where a ref was, and what it follows
//	x^, x^2, x~3                              parents
//	x^{commit}, x^{tree}, x^{}, x^{/text}     what a tag or commit leads to; who says text
//	:/text                                    the newest commit that says text
//	x:path                                    what is in a tree
//	^x, x..y, x...y, x^@, x^!, x^-2           sets of commits (Range)
//
// What needs an index or a working tree (:path, x:./path, @{-1}) is refused.
//
// What always holds: an error names the expression and what of it is wrong; nothing recurses on
// an expression, and no walk is longer than the history or Resolver.MaxSearch.
package revision

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
)

// MaxExpression is the length of the longest expression, in bytes.
const MaxExpression = 8 << 10

// DefaultSearch is at how many commits a search for text looks, where a Resolver sets no other number.
const DefaultSearch = 1 << 20

var (
	// ErrSyntax is matched by the error for what no name can be, or cannot be here.
	ErrSyntax = errors.New("not a revision")
	// ErrKind is matched by the error for a name that leads to another kind of object than
	// was asked for.
	ErrKind = errors.New("another kind of object")
)

// AmbiguousError says that an id cut short may be several objects.
type AmbiguousError struct {
	Digits     string
	Candidates []git.ID // those of a kind that was asked for, if there are such
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("short object id %s is ambiguous: it may be any of %d objects", e.Digits, len(e.Candidates))
}

// Names are what a repository calls its objects.
type Names interface {
	// Ref looks a ref up, by full name or HEAD. It follows symbolic refs; target is the name of the
	// last one. A ref that is not there, or leads nowhere, is not found.
	Ref(ctx context.Context, name string) (id git.ID, target string, found bool, err error)
	// Refs yields every ref with its id, HEAD not among them, in the order of their names.
	Refs(ctx context.Context) iter.Seq2[Ref, error]
	// Prefix returns the ids of objects that start with the digits (at least 4, lower case).
	Prefix(ctx context.Context, digits string) ([]git.ID, error)
	// Log yields what a ref was moved by, the newest first. exists is false if there is no log.
	Log(ctx context.Context, ref string) (log iter.Seq2[Movement, error], exists bool)
	// Upstream returns the full name of the ref that a branch, by full name, follows; "" if none.
	Upstream(ctx context.Context, branch string) (string, error)
}

// Ref is a ref and what it points at.
type Ref struct {
	Name string
	ID   git.ID
}

// Movement is an entry of a ref's log: it went from Old, zero if it was new, to New.
type Movement struct {
	Old, New git.ID
	Seconds  int64
}

// Resolver resolves expressions. It serves one goroutine.
type Resolver struct {
	Commits *ancestry.Commits
	Names   Names
	// Kind returns the kind of an object, if that is cheaper than to read it; may be nil.
	Kind func(ctx context.Context, id git.ID) (git.Kind, error)
	// MaxSearch is at how many commits a search for text looks; 0 means DefaultSearch.
	MaxSearch int
	// Now is what dates in @{…} are counted from; nil means time.Now.
	Now func() time.Time
}

// Found is what an expression stands for.
type Found struct {
	ID git.ID
	// Path and Mode are set if the expression went into a tree: x:path.
	Path string
	Mode git.Mode
}

// Want is the kind of object that is wanted: it decides between objects whose ids start the same.
type Want uint8

const (
	Any       Want = iota
	Commit         // a commit
	Commitish      // a commit, or a tag of one
	Tree           // a tree
	Treeish        // a tree, or what leads to one
	Blob           // a blob
)

// Resolve returns what an expression stands for, as git rev-parse --verify does. want only chooses between
// several objects; what is found may be of another kind, and where the
// expression is a whole id, it may not even be there. Errors match ErrSyntax, ErrKind, git.ErrNotFound, or
// *AmbiguousError.
func (r *Resolver) Resolve(ctx context.Context, expression string, want Want) (Found, error) {
	found, err := r.resolve(ctx, expression, want)
	if err != nil {
		return Found{}, wrap(expression, err)
	}
	return found, nil
}

// ResolveCommit returns the commit that an expression leads to, through tags.
func (r *Resolver) ResolveCommit(ctx context.Context, expression string) (git.ID, error) {
	return r.resolvePeeled(ctx, expression, Commitish, git.KindCommit)
}

// ResolveTree returns the tree that an expression leads to, through tags and commits.
func (r *Resolver) ResolveTree(ctx context.Context, expression string) (git.ID, error) {
	return r.resolvePeeled(ctx, expression, Treeish, git.KindTree)
}

func (r *Resolver) resolvePeeled(ctx context.Context, expression string, want Want, kind git.Kind) (git.ID, error) {
	found, err := r.resolve(ctx, expression, want)
	if err == nil {
		found.ID, err = r.peel(ctx, found.ID, kind)
	}
	if err != nil {
		return git.ID{}, wrap(expression, err)
	}
	return found.ID, nil
}

func wrap(expression string, err error) error {
	if len(expression) > 200 {
		expression = expression[:200] + "…"
	}
	return fmt.Errorf("revision %q: %w", expression, err)
}

func (r *Resolver) resolve(ctx context.Context, expression string, want Want) (Found, error) {
	switch {
	case len(expression) > MaxExpression:
		return Found{}, fmt.Errorf("%w: longer than %d bytes", ErrSyntax, MaxExpression)
	case strings.IndexByte(expression, 0) >= 0:
		return Found{}, fmt.Errorf("%w: it holds a NUL", ErrSyntax)
	}
	if text, ok := strings.CutPrefix(expression, ":/"); ok && text != "" {
		id, err := r.searchAll(ctx, text)
		return Found{ID: id}, err
	}
	if strings.HasPrefix(expression, ":") {
		return Found{}, fmt.Errorf("%w: there is no index here", ErrSyntax)
	}
	if colon := colonOf(expression); colon >= 0 {
		return r.inTree(ctx, expression[:colon], expression[colon+1:])
	}
	id, err := r.object(ctx, expression, want)
	return Found{ID: id}, err
}

// colonOf returns where the colon is that parts a tree from a path, -1 if there is none. One in braces is none.
func colonOf(s string) int {
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == ':' && depth == 0:
			return i
		}
	}
	return -1
}

// suffix is what follows a name: the way from one object to another.
type suffix struct {
	op   byte // '^', '~', or '{'
	n    int  // of '^' and '~'
	kind string
}

// object resolves an expression without a path.
func (r *Resolver) object(ctx context.Context, expression string, want Want) (id git.ID, err error) {
	var suffixes []suffix // the last one first
	for {
		name, s, err := cutSuffix(expression)
		if err != nil {
			return git.ID{}, err
		}
		if s.op == 0 {
			break
		}
		suffixes = append(suffixes, s)
		expression, want = name, s.wants()
	}
	if id, err = r.name(ctx, expression, want); err != nil {
		return git.ID{}, err
	}
	for i := len(suffixes) - 1; i >= 0; i-- {
		if id, err = r.follow(ctx, id, suffixes[i]); err != nil {
			return git.ID{}, err
		}
	}
	return id, nil
}

// cutSuffix parts an expression from its last suffix; op is 0 if it has none.
func cutSuffix(s string) (name string, last suffix, err error) {
	digits := strings.TrimRight(s, "0123456789")
	if end := len(digits) - 1; end >= 0 && (s[end] == '^' || s[end] == '~') {
		last = suffix{op: s[end], n: 1}
		if number := s[end+1:]; number != "" {
			last.n = 0
			for _, c := range []byte(number) {
				if last.n = 10*last.n + int(c-'0'); last.n > 1<<31-1 {
					return "", suffix{}, fmt.Errorf("%w: there is no commit so far back as %s", git.ErrNotFound, number)
				}
			}
		}
		return s[:end], last, nil
	}
	if at := strings.LastIndex(s, "^{"); at > 0 && s[len(s)-1] == '}' {
		last = suffix{op: '{', kind: s[at+2 : len(s)-1]}
		switch last.kind {
		case "", "commit", "tag", "tree", "blob", "object":
		default:
			if last.kind[0] != '/' {
				return "", suffix{}, fmt.Errorf("%w: there is no kind of object %q", ErrSyntax, last.kind)
			}
		}
		return s[:at], last, nil
	}
	return s, suffix{}, nil
}

// wants says what is wanted of the name before a suffix.
func (s suffix) wants() Want {
	switch {
	case s.op != '{', s.kind == "commit", strings.HasPrefix(s.kind, "/"):
		return Commitish
	case s.kind == "tree":
		return Treeish
	}
	return Any
}
