package code

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/archive"
)

// Limits of an archive.
const (
	maxArchiveEntries = 2_000_000
	maxArchiveBytes   = 64 << 30
)

// Archive is an archive of a commit's tree that is about to be written.
type Archive struct {
	Name string // of the file, and of the directory in it
	view *View
	id   git.ID
	c    *git.Commit
	o    archive.Options
}

// Archive prepares an archive of a commit: "tar.gz" or "zip". Its members lie in a directory
// that is named as GitHub does, "owner-name-1a2b3c4".
func (v *View) Archive(ctx context.Context, commit git.ID, format archive.Format) (*Archive, error) {
	c, err := v.commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	r := v.Handle.Repository
	name := r.Owner + "-" + r.Name + "-" + v.Hex(commit)[:7]
	return &Archive{Name: name + "." + string(format), view: v, id: commit, c: c, o: archive.Options{Format: format, Objects: v.Format,
		Prefix: name + "/", Level: archive.DefaultLevel, Commit: commit, Time: time.Unix(c.Committer.Seconds, 0), MaxEntries: maxArchiveEntries,
		MaxBytes: maxArchiveBytes}}, nil
}

// Write writes the archive, when its turn has come.
func (a *Archive) Write(ctx context.Context, w io.Writer) error {
	done, err := a.view.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	err = archive.Write(ctx, a.view.snap, a.c.Tree, w, a.o)
	var large *archive.TooLargeError
	if errors.As(err, &large) {
		return forge.Invalidf("", "", "%s", large)
	}
	return err
}
