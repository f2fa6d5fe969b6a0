package api

import (
	"net/http"

	"github.com/ingot-forge/ingot/forge/code"
)

func (a *api) listLanguages(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		if o.Empty() {
			return ok(map[string]int64{}), nil
		}
		id, err := o.Tree(r.Context(), "")
		if err != nil {
			return nil, err
		}
		languages, err := a.code.Languages(r.Context(), o.View, id)
		return ok(languages), err
	})
}

// contributor is GitHub's "contributor": a user of the instance, or somebody anonymous.
type contributor struct {
	*simpleUser
	Type          string `json:"type"`
	Name          string `json:"name,omitempty"`
	Email         string `json:"email,omitempty"`
	Contributions int    `json:"contributions"`
}

func (a *api) listContributors(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		if o.Empty() {
			return &result{status: http.StatusNoContent}, nil
		}
		head, err := o.Commit(r.Context(), "")
		if err != nil {
			return nil, err
		}
		found, err := a.code.Contributors(r.Context(), o.View, head)
		if err != nil {
			return nil, err
		}
		anonymous := r.URL.Query().Get("anon") == "1" || r.URL.Query().Get("anon") == "true"
		body, err := o.contributors(found, anonymous)
		if err != nil {
			return nil, err
		}
		p := r.paging()
		page, more := pageOf(body, p)
		return &result{status: http.StatusOK, body: page, link: a.link(r, p, more)}, nil
	})
}

// contributors lists users with all their addresses as one, and others only if asked.
func (o *opened) contributors(found []code.Contributor, anonymous bool) ([]contributor, error) {
	body := []contributor{}
	at := map[int64]int{}
	for _, c := range found {
		u, err := o.user(c.Email)
		if err != nil {
			return nil, err
		}
		if u == nil {
			if anonymous {
				body = append(body, contributor{Type: "Anonymous", Name: c.Name, Email: c.Email, Contributions: c.Commits})
			}
			continue
		}
		if i, there := at[u.ID]; there {
			body[i].Contributions += c.Commits
			continue
		}
		at[u.ID] = len(body)
		body = append(body, contributor{simpleUser: u, Type: u.Type, Contributions: c.Commits})
	}
	return body, nil
}

func (a *api) getStats(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		commit, err := o.Commit(r.Context(), r.URL.Query().Get("ref"))
		if err != nil {
			return nil, err
		}
		s, err := a.code.Stats(r.Context(), o.View, commit)
		if err != nil {
			return nil, err
		}
		return ok(map[string]any{"sha": o.Hex(commit), "commits": s.Commits, "branches": s.Branches, "tags": s.Tags, "files": s.Files,
			"size": s.Bytes, "contributors": s.Contributors, "languages": s.Languages}), nil
	})
}
