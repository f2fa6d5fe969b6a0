package api

import (
	"net/http"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

// createFork answers 202 as GitHub does, where the fork is made afterwards. Here
// it is there, whole, when the answer comes.
func (a *api) createFork(r *request) (*result, error) {
	if err := r.signedIn(); err != nil {
		return nil, err
	}
	var in struct {
		Organization, Name string
		DefaultBranchOnly  bool `json:"default_branch_only"`
	}
	if r.ContentLength != 0 { // GitHub takes an empty body
		if err := r.decode(&in); err != nil {
			return nil, err
		}
	}
	if in.Organization != "" {
		return nil, forge.Invalidf("organization", forge.CodeInvalid, "There is no organization %.40q", in.Organization)
	}
	owner, name := r.repository()
	made, err := a.Hosting.Fork(r.Context(), r.actor, owner, name, hosting.ForkOptions{Name: in.Name, DefaultBranchOnly: in.DefaultBranchOnly})
	if err != nil {
		return nil, err
	}
	body, err := a.fullRepository(r, made, forge.RoleAdmin)
	return &result{status: http.StatusAccepted, body: body, location: body.URL}, err
}

// listForks lists newest first, as GitHub does; of its orders by stars and
// watchers nothing is left where there are none.
func (a *api) listForks(r *request) (*result, error) {
	owner, name := r.repository()
	newest := r.URL.Query().Get("sort") != "oldest"
	return a.list(r, func(after int64, limit int) ([]*forge.Repository, error) {
		return a.Hosting.ListForks(r.Context(), r.actor, owner, name, newest, page(after, limit))
	})
}
