package api

import (
	"net/http"
	"strings"

	"github.com/ingot-forge/ingot/forge"
)

// fullBranch is GitHub's "branch-with-protection". There is no protection yet.
type fullBranch struct {
	Name          string      `json:"name"`
	Commit        commit      `json:"commit"`
	Links         branchLinks `json:"_links"`
	Protected     bool        `json:"protected"`
	Protection    protection  `json:"protection"`
	ProtectionURL string      `json:"protection_url"`
}

type branchLinks struct {
	Self string `json:"self"`
	HTML string `json:"html"`
}

type protection struct {
	Enabled bool `json:"enabled"`
}

func (o *opened) branch(name string) (fullBranch, error) {
	ref, there := o.Snapshot().Ref("refs/heads/" + name)
	if !there {
		return fullBranch{}, forge.NotFoundf(o.r.actor, "Branch not found")
	}
	c, err := o.Read(o.r.Context(), ref.Target)
	if err != nil {
		return fullBranch{}, err
	}
	at := o.url + "/branches/" + escapePath(name)
	out := fullBranch{Name: name, Links: branchLinks{Self: at, HTML: o.html + "/tree/" + escapePath(name)}, ProtectionURL: at + "/protection"}
	out.Commit, err = o.commit(c)
	return out, err
}

func (a *api) getBranch(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		body, err := o.branch(r.param("*"))
		return ok(body), err
	})
}

func (a *api) renameBranch(r *request) (*result, error) {
	name, asked := strings.CutSuffix(r.param("*"), "/rename")
	if !asked {
		return nil, errNotFound
	}
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			NewName string `json:"new_name"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		if in.NewName == "" {
			return nil, forge.Invalidf("new_name", forge.CodeMissingField, "new_name is missing")
		}
		if err := o.RenameBranch(r.Context(), name, in.NewName); err != nil {
			return nil, err
		}
		body, err := o.branch(in.NewName)
		return &result{status: http.StatusCreated, body: body, location: body.Links.Self}, err
	})
}
