package code

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/revlog"
	"github.com/ingot-forge/ingot/git/treepath"
)

// Commit is a commit with its id.
type Commit struct {
	ID git.ID
	*git.Commit
}

// LogOptions say which commits Log lists.
type LogOptions struct {
	From              git.ID // where history starts: what Commit returned
	Path              string // "": all
	Author, Committer string // an address, or a part of the name; "": anybody
	Since, Until      time.Time
	Skip, Limit       int
}

// Log lists commits as git log does, newest first, and reports whether more
// follow. It does no more work than the page takes.
func (v *View) Log(ctx context.Context, o LogOptions) (page []Commit, more bool, err error) {
	done, err := v.Turn(ctx)
	if err != nil {
		return nil, false, err
	}
	defer done()
	commits, err := v.ancestry(ctx)
	if err != nil {
		return nil, false, err
	}
	walk := revlog.Options{Tips: []git.ID{o.From}, Skip: o.Skip, MaxCount: o.Limit + 1, Since: seconds(o.Since), Until: seconds(o.Until)}
	if path := strings.TrimPrefix(o.Path, "/"); path != "" {
		walk.Paths = []string{path}
	}
	if o.Author != "" || o.Committer != "" {
		walk.Keep = func(c *git.Commit) bool { return isBy(&c.Author, o.Author) && isBy(&c.Committer, o.Committer) }
	}
	for c, err := range revlog.Walk(ctx, commits, walk) {
		if errors.Is(err, treepath.ErrPath) {
			return nil, false, forge.Invalidf("path", forge.CodeInvalid, "path is not one of files")
		}
		if err != nil {
			return nil, false, err
		}
		if len(page) == o.Limit {
			return page, true, nil
		}
		whole := c.Decoded
		if whole == nil {
			if whole, err = v.commit(ctx, c.ID); err != nil {
				return nil, false, err
			}
		}
		page = append(page, Commit{c.ID, whole})
	}
	return page, false, nil
}

// seconds is a bound for a walk; times before 1970 are 1, for 0 is no bound.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(t.Unix(), 1)
}

// isBy reports whether somebody is the one who is asked for: by the whole address, by what
// comes before the address of a user here, or by the name.
func isBy(s *git.Signature, who string) bool {
	if who == "" || strings.EqualFold(s.Email, who) || strings.EqualFold(s.Name, who) {
		return true
	}
	if strings.Contains(who, "@") {
		return false
	}
	local, rest, _ := strings.Cut(strings.ToLower(s.Email), "@")
	_, login, _ := strings.Cut(local, "+")
	return strings.HasPrefix(rest, "users.noreply.") && login == strings.ToLower(who)
}

// Read returns a commit, of those that Commit and the like returned.
func (v *View) Read(ctx context.Context, id git.ID) (Commit, error) {
	c, err := v.commit(ctx, id)
	return Commit{id, c}, err
}
