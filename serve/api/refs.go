package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// gitRef is GitHub's "git-ref".
type gitRef struct {
	Ref    string    `json:"ref"`
	NodeID string    `json:"node_id"`
	URL    string    `json:"url"`
	Object gitObject `json:"object"`
}

type gitObject struct {
	Type string `json:"type"`
	SHA  string `json:"sha"`
	URL  string `json:"url"`
}

// shortCommit is the commit in lists of branches and tags.
type shortCommit struct {
	SHA string `json:"sha"`
	URL string `json:"url"`
}

// branch is GitHub's "short-branch".
type branch struct {
	Name      string      `json:"name"`
	Commit    shortCommit `json:"commit"`
	Protected bool        `json:"protected"`
}

// tag is GitHub's "tag" in lists.
type tag struct {
	Name       string      `json:"name"`
	ZipballURL string      `json:"zipball_url"`
	TarballURL string      `json:"tarball_url"`
	Commit     shortCommit `json:"commit"`
	NodeID     string      `json:"node_id"`
}

func (o *opened) shortCommit(id git.ID) shortCommit {
	return shortCommit{SHA: o.Hex(id), URL: o.url + "/commits/" + o.Hex(id)}
}

// under returns the refs whose names start with prefix, up to those of a page and one more.
func (o *opened) under(prefix string, p paging) []repo.Ref {
	return hosting.Refs(o.State(), prefix, "", p.page*p.size+1)
}

func (a *api) listBranches(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		p := r.paging()
		refs, more := pageOf(o.under("refs/heads/", p), p)
		body := make([]branch, len(refs))
		for i, ref := range refs {
			body[i] = branch{Name: strings.TrimPrefix(ref.Name, "refs/heads/"), Commit: o.shortCommit(ref.Target)}
		}
		return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
	})
}

func (a *api) listTags(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		p := r.paging()
		refs, more := pageOf(o.under("refs/tags/", p), p)
		body := make([]tag, len(refs))
		for i, ref := range refs {
			target := ref.Target
			if !ref.Peeled.IsZero() {
				target = ref.Peeled
			}
			name := strings.TrimPrefix(ref.Name, "refs/tags/")
			body[i] = tag{Name: name, ZipballURL: o.url + "/zipball/" + ref.Name, TarballURL: o.url + "/tarball/" + ref.Name,
				Commit: o.shortCommit(target), NodeID: nodeID("Ref", 0) + o.Hex(target)[:8]}
		}
		return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
	})
}

func (a *api) gitRef(ctx context.Context, o *opened, ref repo.Ref) (gitRef, error) {
	kind, _, err := o.Snapshot().Header(ctx, ref.Target)
	if err != nil {
		return gitRef{}, err
	}
	return gitRef{Ref: ref.Name, NodeID: nodeID("Ref", 0) + o.Hex(ref.Target)[:8], URL: o.url + "/git/" + ref.Name,
		Object: gitObject{Type: kind.String(), SHA: o.Hex(ref.Target), URL: o.url + "/git/" + kind.String() + "s/" + o.Hex(ref.Target)}}, nil
}

// answerRefs answers one page of refs.
func (a *api) answerRefs(r *request, o *opened, refs []repo.Ref) (*result, error) {
	p := r.paging()
	page, more := pageOf(refs, p)
	body := make([]gitRef, len(page))
	for i, ref := range page {
		var err error
		if body[i], err = a.gitRef(r.Context(), o, ref); err != nil {
			return nil, err
		}
	}
	return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
}

func (a *api) listRefs(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		refs := o.under("refs/", r.paging())
		if len(refs) == 0 {
			return nil, &forge.Error{Kind: forge.Conflict, Message: "Git Repository is empty."}
		}
		return a.answerRefs(r, o, refs)
	})
}

func (a *api) listMatchingRefs(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) { return a.answerRefs(r, o, o.under("refs/"+r.param("*"), r.paging())) })
}

func (a *api) getRef(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		name := "refs/" + r.param("*")
		refs := hosting.Refs(o.State(), name, "", 1) // that very name comes first
		if len(refs) == 0 || refs[0].Name != name {
			return nil, errNotFound
		}
		body, err := a.gitRef(r.Context(), o, refs[0])
		if err != nil {
			return nil, err
		}
		return ok(body), nil
	})
}

func (a *api) createRef(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			Ref string `json:"ref"`
			SHA string `json:"sha"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		target, err := o.id(in.SHA, "sha")
		if err == nil {
			err = o.CreateRef(r.Context(), in.Ref, target)
		}
		if err != nil {
			return nil, err
		}
		body, err := a.gitRef(r.Context(), o, repo.Ref{Name: in.Ref, Target: target})
		return &result{status: http.StatusCreated, body: body, location: body.URL}, err
	})
}

func (a *api) updateRef(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			SHA   string `json:"sha"`
			Force bool   `json:"force"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		target, err := o.id(in.SHA, "sha")
		name := "refs/" + r.param("*")
		if err == nil {
			err = o.UpdateRef(r.Context(), name, target, in.Force)
		}
		if err != nil {
			return nil, err
		}
		body, err := a.gitRef(r.Context(), o, repo.Ref{Name: name, Target: target})
		return ok(body), err
	})
}

func (a *api) deleteRef(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		if err := o.DeleteRef(r.Context(), "refs/"+r.param("*")); err != nil {
			return nil, err
		}
		return &result{status: http.StatusNoContent}, nil
	})
}
