package revision

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// leastTime is the least number in @{…} that is a time and not a place in the log.
const leastTime = 100_000_000

// moved returns where a ref was, by its log: @{2} or @{yesterday}.
func (r *Resolver) moved(ctx context.Context, ref, when string) (git.ID, bool, error) {
	now, _, found, err := r.Names.Ref(ctx, ref)
	if err != nil || !found {
		return git.ID{}, false, err
	}
	var id git.ID
	if n, err := strconv.ParseUint(when, 10, 31); err == nil && n < leastTime {
		id, err = r.movedBack(ctx, ref, int(n), now)
		return id, err == nil, err
	}
	at, err := r.time(when)
	if err != nil {
		return git.ID{}, false, err
	}
	id, err = r.movedSince(ctx, ref, at, now)
	return id, err == nil, err
}

// movedBack returns what a ref was n movements ago.
func (r *Resolver) movedBack(ctx context.Context, ref string, n int, now git.ID) (git.ID, error) {
	log, _ := r.Names.Log(ctx, ref)
	if log == nil {
		return git.ID{}, fmt.Errorf("%w: there is no log of %q", git.ErrNotFound, ref)
	}
	count := 0
	for m, err := range log {
		if err != nil {
			return git.ID{}, err
		}
		count++
		if n == 0 {
			return m.New, nil
		}
		if count >= n && !m.Old.IsZero() {
			return m.Old, nil
		}
	}
	if n == 0 {
		return now, nil
	}
	return git.ID{}, fmt.Errorf("%w: the log of %q has only %d entries", git.ErrNotFound, ref, count)
}

// movedSince returns what a ref was at a time. Before its log begins, that is what it was first.
func (r *Resolver) movedSince(ctx context.Context, ref string, at int64, now git.ID) (git.ID, error) {
	log, _ := r.Names.Log(ctx, ref)
	if log == nil {
		return git.ID{}, fmt.Errorf("%w: there is no log of %q", git.ErrNotFound, ref)
	}
	first := now
	newest := true
	for m, err := range log {
		switch {
		case err != nil:
			return git.ID{}, err
		case m.Seconds <= at && newest && m.Seconds != at:
			return now, nil
		case m.Seconds <= at:
			return m.New, nil
		}
		newest = false
		if first = m.Old; first.IsZero() {
			first = m.New
		}
	}
	return first, nil
}

// time reads a date: seconds since 1970, ISO 8601 and RFC 2822 in their usual forms (a date alone is at the
// present time of day, as in git), now, yesterday, and 1.week.2.days.ago.
func (r *Resolver) time(s string) (int64, error) {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	t := now()
	if n, err := strconv.ParseInt(strings.TrimPrefix(s, "@"), 10, 64); err == nil && n >= leastTime {
		return n, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-0700", time.RFC1123Z,
		"Mon, 2 Jan 2006 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, s, t.Location()); err == nil {
			return at.Unix(), nil
		}
	}
	for _, layout := range []string{"2006-01-02", "2006/01/02", "2006.01.02"} {
		if at, err := time.Parse(layout, s); err == nil {
			hour, minute, second := t.Clock()
			return time.Date(at.Year(), at.Month(), at.Day(), hour, minute, second, 0, t.Location()).Unix(), nil
		}
	}
	return relative(s, t)
}

// relative reads a time that is counted from another: "1 week 2 days ago".
func relative(s string, t time.Time) (int64, error) {
	words := strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return c == ' ' || c == '.' || c == '_' })
	bad := fmt.Errorf("%w: %q is no date", ErrSyntax, s)
	switch {
	case len(words) == 1 && words[0] == "now":
		return t.Unix(), nil
	case len(words) == 1 && words[0] == "yesterday":
		return t.AddDate(0, 0, -1).Unix(), nil
	case len(words) < 3 || len(words)%2 == 0 || words[len(words)-1] != "ago":
		return 0, bad
	}
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseUint(words[i], 10, 31)
		if err != nil {
			return 0, bad
		}
		count := int(n)
		switch strings.TrimSuffix(words[i+1], "s") {
		case "second":
			t = t.Add(-time.Duration(count) * time.Second)
		case "minute":
			t = t.Add(-time.Duration(count) * time.Minute)
		case "hour":
			t = t.Add(-time.Duration(count) * time.Hour)
		case "day":
			t = t.AddDate(0, 0, -count)
		case "week":
			t = t.AddDate(0, 0, -7*count)
		case "month":
			t = t.AddDate(0, -count, 0)
		case "year":
			t = t.AddDate(-count, 0, 0)
		default:
			return 0, bad
		}
	}
	return t.Unix(), nil
}
