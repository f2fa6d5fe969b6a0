package hosting

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// emptySnapshot returns a snapshot of an empty repository that is nowhere: what
// a client is shown that asks for the refs of one it is about to make.
func emptySnapshot(ctx context.Context, f git.Format, head string) (*repo.Snapshot, error) {
	return repo.New(noFiles{}, emptyCatalog{f, head}, repo.Config{}).Snapshot(ctx, 0)
}

var errEmpty = errors.New("the empty repository cannot be changed")

// emptyCatalog has one repository, with nothing in it, which never changes.
type emptyCatalog struct {
	format git.Format
	head   string
}

func (c emptyCatalog) Load(context.Context, repo.ID, *repo.State) (*repo.State, error) {
	return &repo.State{Format: c.format, Head: c.head}, nil
}

func (emptyCatalog) Commit(context.Context, *repo.Change) (int64, error) { return 0, errEmpty }

func (emptyCatalog) RefLog(context.Context, repo.ID, string, int64, int) ([]repo.Movement, error) {
	return nil, nil
}

func (emptyCatalog) Referenced(context.Context, []string, time.Time) (map[string]bool, error) {
	return nil, nil
}

func (emptyCatalog) Repositories(context.Context, repo.ID, int) ([]repo.ID, error) { return nil, nil }

// noFiles keeps no files.
type noFiles struct{}

func (noFiles) Draft(context.Context) (repo.Draft, error)                    { return nil, errEmpty }
func (noFiles) Open(context.Context, string) (repo.File, error)              { return nil, repo.ErrNoFile }
func (noFiles) Delete(context.Context, string) error                         { return nil }
func (noFiles) List(context.Context, string, func(repo.FileInfo) bool) error { return nil }
func (noFiles) SweepDrafts(context.Context, time.Time) (int, error)          { return 0, nil }
