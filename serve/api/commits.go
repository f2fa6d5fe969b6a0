package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// commit is GitHub's "commit"; stats and files are there where it stands alone.
type commit struct {
	SHA         string       `json:"sha"`
	NodeID      string       `json:"node_id"`
	Commit      innerCommit  `json:"commit"`
	URL         string       `json:"url"`
	HTMLURL     string       `json:"html_url"`
	CommentsURL string       `json:"comments_url"`
	Author      *simpleUser  `json:"author"`
	Committer   *simpleUser  `json:"committer"`
	Parents     []link       `json:"parents"`
	Stats       *commitStats `json:"stats,omitempty"`
	Files       []diffEntry  `json:"files,omitempty"`
}

type innerCommit struct {
	Author       gitUser      `json:"author"`
	Committer    gitUser      `json:"committer"`
	Message      string       `json:"message"`
	Tree         link         `json:"tree"`
	URL          string       `json:"url"`
	CommentCount int          `json:"comment_count"`
	Verification verification `json:"verification"`
}

type commitStats struct {
	Total     int `json:"total"`
	Additions int `json:"additions"`
	Deletions int `json:"deletions"`
}

// diffEntry is GitHub's "diff-entry".
type diffEntry struct {
	SHA         *string `json:"sha"`
	Filename    string  `json:"filename"`
	Status      string  `json:"status"`
	Additions   int     `json:"additions"`
	Deletions   int     `json:"deletions"`
	Changes     int     `json:"changes"`
	BlobURL     string  `json:"blob_url"`
	RawURL      string  `json:"raw_url"`
	ContentsURL string  `json:"contents_url"`
	Patch       string  `json:"patch,omitempty"`
	Previous    string  `json:"previous_filename,omitempty"`
}

func (o *opened) commit(c code.Commit) (commit, error) {
	g := o.gitCommit(c)
	at := o.url + "/commits/" + g.SHA
	out := commit{SHA: g.SHA, NodeID: g.NodeID, URL: at, HTMLURL: g.HTMLURL, CommentsURL: at + "/comments", Parents: []link{},
		Commit: innerCommit{Author: g.Author, Committer: g.Committer, Message: g.Message, Tree: g.Tree, URL: g.URL, Verification: g.Verification}}
	for _, p := range c.Parents {
		out.Parents = append(out.Parents, link{SHA: o.Hex(p), URL: o.url + "/commits/" + o.Hex(p), HTMLURL: o.html + "/commit/" + o.Hex(p)})
	}
	var err error
	if out.Author, err = o.user(c.Author.Email); err == nil {
		out.Committer, err = o.user(c.Committer.Email)
	}
	return out, err
}

func (o *opened) commits(list []code.Commit) ([]commit, error) {
	body := make([]commit, len(list))
	for i, c := range list {
		var err error
		if body[i], err = o.commit(c); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// statuses are GitHub's words for what happened to a file.
var statuses = map[diff.Status]string{diff.Added: "added", diff.Deleted: "removed", diff.Modified: "modified", diff.Renamed: "renamed",
	diff.Copied: "copied", diff.Retyped: "changed"}

const (
	maxFilesPage = 300     // GitHub's
	maxPatch     = 1 << 20 // bytes of a file's patch in JSON; beyond it is left out, as on GitHub
)

func (o *opened) diffEntries(files []code.FileChange, at git.ID) []diffEntry {
	entries := make([]diffEntry, len(files))
	for i, f := range files {
		side, commit := f.New, o.Hex(at)
		if !side.Exists() {
			side = f.Old
		}
		sha, path := o.Hex(side.ID), escapePath(f.Path())
		e := diffEntry{SHA: &sha, Filename: f.Path(), Status: statuses[f.Status], Additions: f.Added, Deletions: f.Deleted, Changes: f.Added + f.Deleted,
			BlobURL: o.html + "/blob/" + commit + "/" + path, RawURL: o.html + "/raw/" + commit + "/" + path,
			ContentsURL: o.url + "/contents/" + path + "?ref=" + commit}
		if len(f.Patch) <= maxPatch {
			e.Patch = string(f.Patch)
		}
		if f.Status == diff.Renamed || f.Status == diff.Copied {
			e.Previous = f.Old.Path
		}
		entries[i] = e
	}
	return entries
}

// date reads a parameter that is a time; zero if it is missing.
func (r *request) date(name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, forge.Invalidf(name, forge.CodeInvalid, "%s is not a date as ISO 8601 has it", name)
}

func (a *api) listCommits(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		q, p := r.URL.Query(), r.paging()
		from, err := o.Commit(r.Context(), q.Get("sha"))
		if err != nil {
			return nil, err
		}
		l := code.LogOptions{From: from, Path: q.Get("path"), Author: q.Get("author"), Committer: q.Get("committer"),
			Skip: (p.page - 1) * p.size, Limit: p.size}
		if l.Since, err = r.date("since"); err != nil {
			return nil, err
		}
		if l.Until, err = r.date("until"); err != nil {
			return nil, err
		}
		list, more, err := o.Log(r.Context(), l)
		if err != nil {
			return nil, err
		}
		body, err := o.commits(list)
		return &result{status: http.StatusOK, body: body, link: a.link(r, p, more)}, err
	})
}

func (a *api) getCommit(r *request) (*result, error) {
	name := r.param("*")
	if of, asked := strings.CutSuffix(name, "/branches-where-head"); asked {
		return a.branchesWhereHead(r, of)
	}
	return a.read(r, func(o *opened) (*result, error) {
		ctx := r.Context()
		id, err := o.Commit(ctx, name)
		if err != nil {
			return nil, err
		}
		word := mediaOf(r.Request)
		if word == "sha" {
			res := asMedia(word, []byte(o.Hex(id)))
			res.tag = `"` + o.Hex(id) + `-sha"`
			return res, nil
		}
		tag := `"` + o.Hex(id) + "-" + word + `"`
		if res := r.fresh(tag); o.isID(name) && (word == "diff" || word == "patch") && res != nil {
			return res, nil
		}
		done, err := o.Turn(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		c, err := o.Read(ctx, id)
		if err != nil {
			return nil, err
		}
		changes, err := o.ChangesOf(ctx, c)
		if err != nil {
			return nil, err
		}
		if word == "diff" || word == "patch" {
			var text []byte
			if word == "diff" {
				text, err = changes.AppendDiff(ctx, nil)
			} else {
				text, err = o.AppendPatch(ctx, nil, c, 1, 1)
			}
			res := asMedia(word, text)
			res.tag, res.forever = tag, o.isID(name)
			return res, err
		}
		return o.commitAlone(c, changes)
	})
}

// commitAlone answers a commit with a page of the files that it changes.
func (o *opened) commitAlone(c code.Commit, changes *code.Changes) (*result, error) {
	ctx, p := o.r.Context(), o.r.pagingOf(maxFilesPage, maxFilesPage)
	body, err := o.commit(c)
	if err != nil {
		return nil, err
	}
	added, deleted, err := changes.Totals(ctx)
	if err != nil {
		return nil, err
	}
	body.Stats = &commitStats{Total: added + deleted, Additions: added, Deletions: deleted}
	files, err := changes.Files(ctx, (p.page-1)*p.size, p.page*p.size)
	body.Files = o.diffEntries(files, c.ID)
	return &result{status: http.StatusOK, body: body, link: o.a.link(o.r, p, p.page*p.size < changes.Len())}, err
}

// branchShort is GitHub's "branch-short".
type branchShort struct {
	Name      string      `json:"name"`
	Commit    shortCommit `json:"commit"`
	Protected bool        `json:"protected"`
}

func (a *api) branchesWhereHead(r *request, name string) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		id, err := o.Commit(r.Context(), name)
		if err != nil {
			return nil, err
		}
		body := []branchShort{}
		for ref := range o.State().Refs.PointingAt(id) {
			if short, is := strings.CutPrefix(ref.Name, "refs/heads/"); is {
				body = append(body, branchShort{Name: short, Commit: o.shortCommit(id)})
			}
		}
		return ok(body), nil
	})
}

// commitInput is the body of Ingot's own POST commits.
type commitInput struct {
	Branch    string         `json:"branch"`
	Message   string         `json:"message"`
	Author    *personInput   `json:"author"`
	Committer *personInput   `json:"committer"`
	Expected  string         `json:"expected_head_sha"`
	Start     string         `json:"start_point"`
	Files     []changedInput `json:"files"`
}

type changedInput struct {
	Path     string  `json:"path"`
	Content  *string `json:"content"`
	Encoding string  `json:"encoding"`
	Mode     string  `json:"mode"`
	SHA      string  `json:"sha"`
	Delete   bool    `json:"delete"`
}

func (o *opened) fileChange(in *changedInput) (c code.Change, err error) {
	c = code.Change{Path: in.Path, Delete: in.Delete}
	given := 0
	for _, one := range []bool{in.Delete, in.SHA != "", in.Content != nil} {
		if one {
			given++
		}
	}
	if given != 1 {
		return c, forge.Invalidf("files", forge.CodeInvalid, "%.200q needs one of content, sha and delete", in.Path)
	}
	if in.Mode != "" {
		if c.Mode = modes[in.Mode]; c.Mode == 0 || c.Mode == git.ModeTree || c.Mode == git.ModeSubmodule && in.SHA == "" {
			return c, forge.Invalidf("mode", forge.CodeInvalid, "mode of %.200q is not one of 100644, 100755, 120000, 160000", in.Path)
		}
	}
	switch {
	case in.SHA != "":
		c.Object, err = o.id(in.SHA, "sha")
	case in.Content != nil:
		c.Content, err = content(*in.Content, in.Encoding, "content")
	}
	return c, err
}

// commitFiles commits any number of files at once.
func (a *api) commitFiles(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in commitInput
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		if in.Branch == "" {
			return nil, forge.Invalidf("branch", forge.CodeMissingField, "branch is missing")
		}
		if len(in.Files) == 0 {
			return nil, forge.Invalidf("files", forge.CodeMissingField, "files is missing")
		}
		e := code.Edit{Branch: in.Branch, Message: in.Message, Start: in.Start}
		var err error
		if in.Expected != "" {
			head, err := o.id(in.Expected, "expected_head_sha")
			if err != nil {
				return nil, err
			}
			e.Head = &head
		}
		if e.Author, e.Committer, err = o.authors(in.Author, in.Committer); err != nil {
			return nil, err
		}
		for i := range in.Files {
			c, err := o.fileChange(&in.Files[i])
			if err != nil {
				return nil, err
			}
			e.Changes = append(e.Changes, c)
		}
		written, err := o.Write(r.Context(), e)
		if err != nil {
			return nil, err
		}
		c, err := o.Read(r.Context(), written.Commit)
		if err != nil {
			return nil, err
		}
		body, err := o.commit(c)
		return &result{status: http.StatusCreated, body: body, location: body.URL}, err
	})
}
