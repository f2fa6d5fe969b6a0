package api

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/git"
)

// maxInline is the size of the largest file whose content stands in JSON: GitHub's.
const maxInline = 1 << 20

// contents is GitHub's "content-file", "content-directory", "content-symlink" and
// "content-submodule", by Type.
type contents struct {
	Type         string        `json:"type"`
	Encoding     *string       `json:"encoding,omitempty"`
	Size         int64         `json:"size"`
	Name         string        `json:"name"`
	Path         string        `json:"path"`
	Content      *string       `json:"content,omitempty"`
	Target       *string       `json:"target,omitempty"`
	SubmoduleURL *string       `json:"submodule_git_url,omitempty"`
	SHA          string        `json:"sha"`
	URL          string        `json:"url"`
	GitURL       *string       `json:"git_url"`
	HTMLURL      *string       `json:"html_url"`
	DownloadURL  *string       `json:"download_url"`
	Entries      []*contents   `json:"entries,omitempty"`
	Links        contentsLinks `json:"_links"`
}

type contentsLinks struct {
	Self string  `json:"self"`
	Git  *string `json:"git"`
	HTML *string `json:"html"`
}

// contents describes what is at a path; ref is the name that the addresses go on with.
func (o *opened) contents(i code.Item, ref string) *contents {
	path := escapePath(i.Path)
	c := &contents{Type: "file", Size: i.Size, Name: i.Name(), Path: i.Path, SHA: o.Hex(i.ID),
		URL: o.url + "/contents/" + path + "?ref=" + url.QueryEscape(ref)}
	page := o.html + "/blob/" + escapePath(ref) + "/" + path
	switch {
	case i.Kind == git.KindTree:
		c.Type = "dir"
		page = o.html + "/tree/" + escapePath(ref) + "/" + path
	case i.Mode == git.ModeSubmodule:
		c.Type = "submodule"
	default:
		if i.Mode == git.ModeSymlink {
			c.Type = "symlink"
		}
		download := o.html + "/raw/" + escapePath(ref) + "/" + path
		c.DownloadURL = &download
	}
	if i.Kind != git.KindCommit {
		at := o.objectURL(i.Kind, i.ID)
		c.GitURL, c.HTMLURL = &at, &page
	}
	c.Links = contentsLinks{Self: c.URL, Git: c.GitURL, HTML: c.HTMLURL}
	return c
}

func (a *api) getContents(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		tree, ref, err := o.treeOf(r.URL.Query().Get("ref"))
		if err != nil {
			return nil, err
		}
		path := r.param("*")
		found, err := o.Find(r.Context(), tree, path)
		if err != nil {
			return nil, err
		}
		if found.Kind == git.KindTree {
			return o.directory(found, ref)
		}
		return o.file(tree, found, ref)
	})
}

// treeOf returns the tree of a commit that is asked for by name, and the name.
func (o *opened) treeOf(ref string) (git.ID, string, error) {
	if ref == "" {
		ref = o.Handle.Repository.DefaultBranch
	}
	if o.Empty() {
		return git.ID{}, ref, &forge.Error{Kind: forge.NotFound, Message: "This repository is empty."}
	}
	commit, err := o.Commit(o.r.Context(), ref)
	if err != nil {
		return git.ID{}, ref, err
	}
	c, err := o.Read(o.r.Context(), commit)
	if err != nil {
		return git.ID{}, ref, err
	}
	return c.Tree, ref, nil
}

func (o *opened) directory(dir code.Item, ref string) (*result, error) {
	items, more, err := o.ListPage(o.r.Context(), dir.ID, false, "", maxDirectory)
	if err != nil {
		return nil, err
	}
	if more {
		return nil, forge.Invalidf("path", forge.CodeCustom, "The directory has more than %d entries: use the git/trees API", maxDirectory)
	}
	list := make([]*contents, len(items))
	for i, item := range items {
		if dir.Path != "" {
			item.Path = dir.Path + "/" + item.Path
		}
		list[i] = o.contents(item, ref)
		if item.Mode == git.ModeSubmodule {
			list[i].Type = "file" // as GitHub has it in lists, for the sake of old clients
		}
	}
	if mediaOf(o.r.Request) != "object" {
		return ok(list), nil
	}
	whole := o.contents(dir, ref)
	whole.Entries = list
	return ok(whole), nil
}

// maxDirectory bounds a directory that is listed. GitHub cuts at 1,000 without a word.
const maxDirectory = 20_000

// file answers a file, a link or a submodule.
func (o *opened) file(tree git.ID, found code.Item, ref string) (*result, error) {
	ctx := o.r.Context()
	body := o.contents(found, ref)
	if found.Mode == git.ModeSubmodule {
		address, err := o.Submodule(ctx, tree, found.Path)
		if err != nil {
			return nil, err
		}
		body.SubmoduleURL = optional(address)
		return ok(body), nil
	}
	shown := found
	if found.Mode == git.ModeSymlink {
		file, target, inside, err := o.Follow(ctx, tree, found)
		if err != nil {
			return nil, err
		}
		body.Target = &target
		if inside { // GitHub answers the file that it leads to
			shown, body.Type, body.Target = file, "file", nil
			body.Size = file.Size
		}
	}
	word := mediaOf(o.r.Request)
	forever := o.isID(ref) && (word == "raw" || word == "html")
	tag := `"` + o.Hex(shown.ID) + "-" + word + `"`
	if res := o.r.fresh(tag); forever && res != nil {
		return res, nil
	}
	if shown.Size > code.MaxContent {
		return nil, code.ErrBlobTooLarge()
	}
	if word == "raw" || word == "html" {
		data, err := o.Content(ctx, shown)
		if err != nil {
			return nil, err
		}
		if word == "html" {
			if data, err = asHTML(found.Path, data); err != nil {
				return nil, err
			}
		}
		res := asMedia(word, data)
		res.tag, res.forever = tag, forever
		return res, nil
	}
	if body.Type != "file" {
		return ok(body), nil
	}
	encoding, text := "none", ""
	if shown.Size <= maxInline {
		data, err := o.Content(ctx, shown)
		if err != nil {
			return nil, err
		}
		encoding, text = "base64", lines60(data)
	}
	body.Encoding, body.Content = &encoding, &text
	return ok(body), nil
}

// asHTML is a text file as GitHub shows one that it has no renderer for.
func asHTML(path string, data []byte) ([]byte, error) {
	if len(data) > maxInline || !utf8.Valid(data) || strings.IndexByte(string(data), 0) >= 0 {
		return nil, &forge.Error{Kind: forge.Invalid, Message: "The file is no text that can be shown as HTML"}
	}
	return fmt.Appendf(nil, "<div id=\"file\" class=\"plain\" data-path=\"%s\"><pre style=\"white-space: pre-wrap\">%s</pre></div>",
		html.EscapeString(path), html.EscapeString(string(data))), nil
}

func (a *api) getReadme(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		tree, ref, err := o.treeOf(r.URL.Query().Get("ref"))
		if err != nil {
			return nil, err
		}
		found, err := o.Readme(r.Context(), tree, r.param("*"))
		if err != nil {
			return nil, err
		}
		return o.file(tree, found, ref)
	})
}

// fileInput is the body of a change to one file; a deletion may have it in the query.
type fileInput struct {
	Message   string       `json:"message"`
	Content   *string      `json:"content"`
	SHA       string       `json:"sha"`
	Branch    string       `json:"branch"`
	Author    *personInput `json:"author"`
	Committer *personInput `json:"committer"`
}

// fileCommit is GitHub's "file-commit".
type fileCommit struct {
	Content *contents `json:"content"`
	Commit  gitCommit `json:"commit"`
}

func (a *api) putContents(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in fileInput
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		if in.Content == nil {
			return nil, forge.Invalidf("content", forge.CodeMissingField, "content is missing")
		}
		data, err := content(*in.Content, "base64", "content")
		if err != nil {
			return nil, err
		}
		change := code.Change{Path: r.param("*"), Content: data, Was: &git.ID{}}
		if in.SHA != "" {
			was, err := o.id(in.SHA, "sha")
			if err != nil {
				return nil, err
			}
			change.Was = &was
		}
		return o.changeFile(&in, change)
	})
}

func (a *api) deleteContents(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		q := r.URL.Query()
		in := fileInput{Message: q.Get("message"), SHA: q.Get("sha"), Branch: q.Get("branch")}
		if r.ContentLength != 0 {
			if err := r.decode(&in); err != nil {
				return nil, err
			}
		}
		if in.SHA == "" {
			return nil, &forge.Error{Kind: forge.Invalid, Message: "Invalid request.\n\n\"sha\" wasn't supplied."}
		}
		was, err := o.id(in.SHA, "sha")
		if err != nil {
			return nil, err
		}
		return o.changeFile(&in, code.Change{Path: r.param("*"), Delete: true, Was: &was})
	})
}

func (o *opened) changeFile(in *fileInput, c code.Change) (*result, error) {
	ctx := o.r.Context()
	e := code.Edit{Branch: in.Branch, Message: in.Message, Changes: []code.Change{c}}
	var err error
	if e.Author, e.Committer, err = o.fileAuthors(in); err != nil {
		return nil, err
	}
	written, err := o.Write(ctx, e)
	if err != nil {
		return nil, o.stale(ctx, err, c.Delete)
	}
	commit, err := o.Read(ctx, written.Commit)
	if err != nil {
		return nil, err
	}
	body := fileCommit{Commit: o.gitCommit(commit)}
	if c.Delete {
		return ok(body), nil
	}
	found, err := o.Find(ctx, commit.Tree, c.Path)
	if err != nil {
		return nil, err
	}
	body.Content = o.contents(found, written.Branch)
	status := http.StatusOK
	if c.Was.IsZero() {
		status = http.StatusCreated
	}
	return &result{status: status, body: body, location: body.Content.URL}, nil
}

// fileAuthors differs from authors: whoever commits is the author, unless another is named.
func (o *opened) fileAuthors(in *fileInput) (wrote, committed code.Person, err error) {
	standard := code.Author(o.Handle, o.a.host)
	if committed, err = in.Committer.person("committer", standard); err != nil {
		return wrote, committed, err
	}
	wrote, err = in.Author.person("author", committed)
	return wrote, committed, err
}

// stale says in GitHub's words that a file is not what the caller has seen.
func (o *opened) stale(_ context.Context, err error, deleting bool) error {
	var stale *code.StaleError
	switch {
	case !errors.As(err, &stale):
		return err
	case stale.Want.IsZero():
		return &forge.Error{Kind: forge.Invalid, Message: "Invalid request.\n\n\"sha\" wasn't supplied."}
	case stale.Is.IsZero() && deleting:
		return errNotFound
	}
	return forge.Conflictf("", "", "%.200s does not match %s", stale.Path, o.Hex(stale.Want))
}
