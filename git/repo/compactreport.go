package repo

import (
	"fmt"
	"strings"
)

// CompactReport says what Compact did.
type CompactReport struct {
	Joined      int      // packs that became one; 0 if nothing was to be done
	Kept        int      // packs that stay as they are
	Left        int      // of those, such that have to be joined by another Compact
	Objects     int64    // of the packs joined, however often they have them
	Duplicates  int64    // of them, that other packs had too
	Unreachable int64    // of them, left out because nothing reaches them, nor did for long
	Unchecked   string   // why unreachable objects were not looked for; "" if they were
	Whole       int64    // deltas that are none any more: see explain
	Deltas      int64    // objects that are deltas now, and were whole
	Before      int64    // bytes of the packs joined
	After       int64    // bytes of the pack that they became
	Derived     int      // files of derived data written
	Layers      int      // of the stack that they describe
	Problems    []string // what kept derived data from being written; everything works without
}

// Did reports whether anything was done or tried.
func (r CompactReport) Did() bool { return r.Joined > 0 || r.Derived > 0 || len(r.Problems) > 0 }

// String explains the report in a line.
func (r CompactReport) String() string {
	var b strings.Builder
	switch {
	case r.Joined > 0:
		r.explain(&b)
	case r.Kept == 0:
		b.WriteString("nothing to join: no packs")
	case r.Kept == 1:
		b.WriteString("nothing to join: 1 pack")
	default:
		fmt.Fprintf(&b, "nothing to join: %d packs, each at least twice as large as all after it together, or too few", r.Kept)
	}
	if r.Derived > 0 {
		fmt.Fprintf(&b, "; %d files of derived data written for %s", r.Derived, count(r.Layers, "layer"))
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "; %s", p)
	}
	return b.String()
}

// explain says what was joined and why.
func (r CompactReport) explain(b *strings.Builder) {
	fmt.Fprintf(b, "%s with %d objects in %d bytes became ", count(r.Joined, "pack"), r.Objects, r.Before)
	if r.After > 0 {
		fmt.Fprintf(b, "1 with %d in %d", r.Objects-r.Duplicates-r.Unreachable, r.After)
	} else {
		b.WriteString("none")
	}
	for _, part := range []struct {
		n    int64
		what string
	}{
		{r.Duplicates, "objects that several had are there once"},
		{r.Unreachable, "objects that nothing reaches were left out"},
		{r.Deltas, "objects stored whole are deltas now"},
		{r.Whole, "deltas made whole: those of the tip, of chains too long, or of what was left out"},
		{int64(r.Kept - r.Left), "larger kept"},
		{int64(r.Left), "left for the next step"},
	} {
		if part.n > 0 {
			fmt.Fprintf(b, "; %d %s", part.n, part.what)
		}
	}
	if r.Unchecked != "" {
		fmt.Fprintf(b, "; unreachable objects kept: %s", r.Unchecked)
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
