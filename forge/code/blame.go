package code

import (
	"context"
	"errors"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/blame"
)

// BlameRange says that a commit brought some lines to a file. Lines count from 1.
type BlameRange struct {
	Start, End     int // in the file
	Path           string
	OriginalStart  int // in that commit's
	Commit         git.ID
	Boundary       bool
	PreviousCommit git.ID // what it changed; zero if the file was new
	PreviousPath   string
}

// Blame tells for each line of a file, from start to end, who brought it: git blame. 0
// is the first line, and the last.
func (v *View) Blame(ctx context.Context, commit git.ID, path string, start, end int) ([]BlameRange, error) {
	done, err := v.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	c, err := v.commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	file, err := v.Find(ctx, c.Tree, path)
	if err != nil {
		return nil, err
	}
	if file.Kind != git.KindBlob {
		return nil, badPath(path, "is no file")
	}
	commits, err := v.ancestry(ctx)
	if err != nil {
		return nil, err
	}
	o := blame.Options{Tip: commit, Path: file.Path, MaxBytes: maxDiffBytes}
	if start > 0 || end > 0 {
		lines, err := v.countLines(ctx, file)
		if err != nil {
			return nil, err
		}
		start = max(start, 1)
		if end <= 0 || end > lines {
			end = lines
		}
		if start > end {
			return nil, forge.Invalidf("start_line", forge.CodeInvalid, "The file has %d lines", lines)
		}
		o.Ranges = []blame.Range{{Start: start - 1, End: end}}
	}
	var entries []blame.Entry
	for e, err := range blame.Blame(ctx, commits, o) {
		var big *blame.TooBigError
		if errors.As(err, &big) {
			return nil, ErrBlobTooLarge()
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	ranges := []BlameRange{}
	for _, e := range blame.Sort(entries) {
		r := BlameRange{Start: e.Line + 1, End: e.Line + e.Count, Path: e.Path, OriginalStart: e.OrigLine + 1, Commit: e.Commit, Boundary: e.Boundary}
		if e.Previous != nil {
			r.PreviousCommit, r.PreviousPath = e.Previous.Commit, e.Previous.Path
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

func (v *View) countLines(ctx context.Context, file Item) (int, error) {
	if file.Size > maxDiffBytes {
		return 0, ErrBlobTooLarge()
	}
	data, err := v.Content(ctx, file)
	if err != nil {
		return 0, err
	}
	lines := 0
	for i, c := range data {
		if c == '\n' || i == len(data)-1 {
			lines++
		}
	}
	return lines, nil
}
