package code

import (
	"context"
	"slices"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/mailmap"
	"github.com/ingot-forge/ingot/git/revlog"
)

// maxMailmap bounds the .mailmap that is read.
const maxMailmap = 4 << 20

// Contributor is somebody who wrote commits.
type Contributor = mailmap.Contributor

// past is what a walk over all commits tells.
type past struct {
	commits      int
	contributors []Contributor
}

// Contributors returns who wrote the commits that one reaches, those with most first: git
// shortlog -sne, merges included, names as .mailmap has them.
func (s *Service) Contributors(ctx context.Context, v *View, commit git.ID) ([]Contributor, error) {
	h, err := s.history(ctx, v, commit)
	return h.contributors, err
}

func (s *Service) history(ctx context.Context, v *View, commit git.ID) (past, error) {
	if h, ok := s.histories.get(commit); ok {
		return h, nil
	}
	done, err := v.Turn(ctx)
	if err != nil {
		return past{}, err
	}
	defer done()
	commits, err := v.ancestry(ctx)
	if err != nil {
		return past{}, err
	}
	tally := mailmap.Tally{}
	if tally.Map, err = v.mailmap(ctx, commit); err != nil {
		return past{}, err
	}
	h := past{}
	walk := revlog.Options{Tips: []git.ID{commit}, Keep: func(c *git.Commit) bool { tally.Add(c); return true }}
	for _, err := range revlog.Walk(ctx, commits, walk) {
		if err != nil {
			return past{}, err
		}
		h.commits++
	}
	h.contributors = slices.Clip(tally.Contributors())
	s.histories.put(commit, h, 1+len(h.contributors))
	return h, nil
}

func (v *View) mailmap(ctx context.Context, commit git.ID) (*mailmap.Map, error) {
	c, err := v.commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	file, err := v.Find(ctx, c.Tree, ".mailmap")
	if isNotFound(err) || err == nil && (file.Kind != git.KindBlob || file.Mode == git.ModeSymlink || file.Size > maxMailmap) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := v.Content(ctx, file)
	return mailmap.Parse(data), err
}
