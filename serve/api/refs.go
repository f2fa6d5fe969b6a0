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

// opened is a repository that the caller may read, as of now.
type opened struct {
	snap *repo.Snapshot
	full string // "owner/name"
	url  string // of the API
}

// read opens the repository of the path for reading and calls use with it.
func (a *api) read(r *request, use func(*opened) (*result, error)) (*result, error) {
	owner, name := r.repository()
	handle, err := a.Hosting.Open(r.Context(), r.actor, forge.Read, owner, name)
	if err != nil {
		return nil, err
	}
	snap, err := handle.Snapshot(r.Context())
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	full := handle.Repository.FullName()
	return use(&opened{snap: snap, full: full, url: a.base + "/repos/" + full})
}

func (o *opened) hex(id git.ID) string { return o.snap.State().Format.Hex(id) }

func (o *opened) commit(id git.ID) shortCommit {
	return shortCommit{SHA: o.hex(id), URL: o.url + "/commits/" + o.hex(id)}
}

// under returns the refs whose names start with prefix, up to those of a page and one more.
func (o *opened) under(prefix string, p paging) []repo.Ref {
	return hosting.Refs(o.snap.State(), prefix, "", p.page*p.size+1)
}

func (a *api) listBranches(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		p := r.paging()
		refs, more := pageOf(o.under("refs/heads/", p), p)
		body := make([]branch, len(refs))
		for i, ref := range refs {
			body[i] = branch{Name: strings.TrimPrefix(ref.Name, "refs/heads/"), Commit: o.commit(ref.Target)}
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
				Commit: o.commit(target), NodeID: nodeID("Ref", 0) + o.hex(target)[:8]}
		}
		return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, nil
	})
}

func (a *api) gitRef(ctx context.Context, o *opened, ref repo.Ref) (gitRef, error) {
	kind, _, err := o.snap.Header(ctx, ref.Target)
	if err != nil {
		return gitRef{}, err
	}
	return gitRef{Ref: ref.Name, NodeID: nodeID("Ref", 0) + o.hex(ref.Target)[:8], URL: o.url + "/git/" + ref.Name,
		Object: gitObject{Type: kind.String(), SHA: o.hex(ref.Target), URL: o.url + "/git/" + kind.String() + "s/" + o.hex(ref.Target)}}, nil
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
		refs := hosting.Refs(o.snap.State(), name, "", 1) // that very name comes first
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
