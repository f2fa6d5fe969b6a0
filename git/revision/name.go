package revision

import (
	"context"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// name resolves an expression without suffixes.
func (r *Resolver) name(ctx context.Context, name string, want Want) (git.ID, error) {
	f := r.Commits.Format()
	if len(name) == f.HexSize() {
		if id, err := f.Parse(name); err == nil {
			return id, nil
		}
	}
	if name == "" {
		return git.ID{}, fmt.Errorf("%w: it names nothing", ErrSyntax)
	}
	if id, found, err := r.ref(ctx, name); found || err != nil {
		return id, err
	}
	if at := strings.LastIndex(name, "-g"); at > 0 && isHex(name[at+2:]) {
		if id, err := r.short(ctx, name[at+2:], Commit); err == nil {
			return id, nil
		}
	}
	if isHex(name) {
		return r.short(ctx, name, want)
	}
	return git.ID{}, fmt.Errorf("%w: there is no ref or object %q", git.ErrNotFound, name)
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// ref resolves a ref, or a place in its log.
func (r *Resolver) ref(ctx context.Context, name string) (id git.ID, found bool, err error) {
	when := ""
	if at := strings.LastIndex(name, "@{"); at >= 0 && strings.HasSuffix(name, "}") {
		inner := name[at+2 : len(name)-1]
		switch {
		case strings.HasPrefix(inner, "-"):
			return git.ID{}, false, fmt.Errorf("%w: nothing is checked out here, so nothing was before", ErrSyntax)
		case inner == "":
			return git.ID{}, false, fmt.Errorf("%w: nothing in the braces of %q", ErrSyntax, name)
		case !isUpstream(inner):
			name, when = name[:at], inner
		}
	}
	if name == "" {
		// The log is that of the branch that HEAD is on.
		_, target, found, err := r.Names.Ref(ctx, "HEAD")
		if err != nil || !found {
			return git.ID{}, false, err
		}
		return r.moved(ctx, target, when)
	}
	if !isPath(name) {
		return git.ID{}, false, nil
	}
	if name, err = r.substitute(ctx, name); err != nil {
		return git.ID{}, false, err
	}
	for _, place := range places {
		full := strings.Replace(place, "*", name, 1)
		if place == "*" && !strings.HasPrefix(name, "refs/") && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
			continue
		}
		id, target, found, err := r.Names.Ref(ctx, full)
		if err != nil {
			return git.ID{}, false, err
		}
		if !found {
			continue
		}
		if when == "" {
			return id, true, nil
		}
		for _, ref := range []string{full, target} {
			if _, exists := r.Names.Log(ctx, ref); exists {
				return r.moved(ctx, ref, when)
			}
		}
	}
	if when != "" {
		return git.ID{}, false, fmt.Errorf("%w: there is no log of a ref %q", git.ErrNotFound, name)
	}
	return git.ID{}, false, nil
}

// places are where a ref is looked for, in git's order.
var places = []string{"*", "refs/*", "refs/tags/*", "refs/heads/*", "refs/remotes/*", "refs/remotes/*/HEAD"}

// isPath reports whether a name can be that of a ref: no part of it is empty, or only dots.
func isPath(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.Trim(part, ".") == "" {
			return false
		}
	}
	return true
}

func isUpstream(inner string) bool {
	switch strings.ToLower(inner) {
	case "u", "upstream", "push":
		return true
	}
	return false
}

// substitute replaces @, and x@{upstream}, by the ref that is meant.
func (r *Resolver) substitute(ctx context.Context, name string) (string, error) {
	if name == "@" {
		return "HEAD", nil
	}
	at := strings.LastIndex(name, "@{")
	if at < 0 || !strings.HasSuffix(name, "}") || !isUpstream(name[at+2:len(name)-1]) {
		return name, nil
	}
	branch := "refs/heads/" + name[:at]
	if short := name[:at]; short == "" || short == "HEAD" || short == "@" {
		_, target, found, err := r.Names.Ref(ctx, "HEAD")
		if err != nil {
			return "", err
		}
		if !found {
			return "", fmt.Errorf("%w: HEAD is on no branch", git.ErrNotFound)
		}
		branch = target
	}
	upstream, err := r.Names.Upstream(ctx, branch)
	if err != nil {
		return "", err
	}
	if upstream == "" {
		return "", fmt.Errorf("%w: %q follows no other branch", git.ErrNotFound, branch)
	}
	return upstream, nil
}

// minDigits is how many digits of an id are needed at least.
const minDigits = 4

// short resolves an id cut short.
func (r *Resolver) short(ctx context.Context, digits string, want Want) (git.ID, error) {
	if len(digits) < minDigits || len(digits) > r.Commits.Format().HexSize() {
		return git.ID{}, fmt.Errorf("%w: there is no ref %q, and an id has %d to %d digits",
			git.ErrNotFound, digits, minDigits, r.Commits.Format().HexSize())
	}
	digits = strings.ToLower(digits)
	ids, err := r.Names.Prefix(ctx, digits)
	if err != nil {
		return git.ID{}, err
	}
	var unique []git.ID
	seen := map[git.ID]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			unique = append(unique, id)
		}
	}
	switch len(unique) {
	case 0:
		return git.ID{}, fmt.Errorf("%w: no id starts with %s", git.ErrNotFound, digits)
	case 1:
		return unique[0], nil
	}
	fitting := unique
	if want != Any {
		fitting = nil
		for _, id := range unique {
			fits, err := r.fits(ctx, id, want)
			if err != nil {
				return git.ID{}, err
			}
			if fits {
				fitting = append(fitting, id)
			}
		}
	}
	switch len(fitting) {
	case 0:
		fitting = unique
	case 1:
		return fitting[0], nil
	}
	return git.ID{}, &AmbiguousError{digits, fitting}
}

// fits reports whether an object is of the kind that is wanted.
func (r *Resolver) fits(ctx context.Context, id git.ID, want Want) (bool, error) {
	kind, err := r.kind(ctx, id)
	if err != nil {
		return false, err
	}
	if kind == git.KindTag && (want == Commitish || want == Treeish) {
		if id, err = r.untag(ctx, id); err == nil {
			kind, err = r.kind(ctx, id)
		}
		if err != nil {
			return false, nil // a tag that leads nowhere
		}
	}
	switch want {
	case Commit, Commitish:
		return kind == git.KindCommit, nil
	case Tree:
		return kind == git.KindTree, nil
	case Treeish:
		return kind == git.KindTree || kind == git.KindCommit, nil
	case Blob:
		return kind == git.KindBlob, nil
	}
	return true, nil
}
