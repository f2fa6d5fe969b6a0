package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ingot-forge/ingot/forge/code"
)

// comparison is GitHub's "commit-comparison".
type comparison struct {
	URL          string      `json:"url"`
	HTMLURL      string      `json:"html_url"`
	PermalinkURL string      `json:"permalink_url"`
	DiffURL      string      `json:"diff_url"`
	PatchURL     string      `json:"patch_url"`
	BaseCommit   commit      `json:"base_commit"`
	MergeBase    commit      `json:"merge_base_commit"`
	Status       string      `json:"status"`
	AheadBy      int         `json:"ahead_by"`
	BehindBy     int         `json:"behind_by"`
	TotalCommits int         `json:"total_commits"`
	Commits      []commit    `json:"commits"`
	Files        []diffEntry `json:"files"`
}

// maxCompared is how many commits a comparison shows where no page is asked for: GitHub's.
const maxCompared = 250

func (a *api) compare(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		base, head, found := strings.Cut(r.param("*"), "...")
		if !found || base == "" || head == "" {
			return nil, errNotFound
		}
		ctx := r.Context()
		from, err := o.Commit(ctx, o.local(base))
		if err != nil {
			return nil, err
		}
		to, err := o.Commit(ctx, o.local(head))
		if err != nil {
			return nil, err
		}
		word := mediaOf(r.Request)
		tag := `"` + o.Hex(from) + o.Hex(to) + "-" + word + `"`
		forever := (word == "diff" || word == "patch") && o.isID(base) && o.isID(head)
		if res := r.fresh(tag); forever && res != nil {
			return res, nil
		}
		done, err := o.Turn(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		c, err := o.Compare(ctx, from, to)
		if err != nil {
			return nil, err
		}
		if word == "diff" || word == "patch" {
			text, err := o.compareText(c, word)
			res := asMedia(word, text)
			res.tag, res.forever = tag, forever
			return res, err
		}
		return o.compareJSON(c, base, head)
	})
}

// local drops an owner in front of a branch, "alice:main", if it is this repository's.
func (o *opened) local(name string) string {
	if owner, branch, found := strings.Cut(name, ":"); found && strings.EqualFold(owner, o.Handle.Repository.Owner) {
		return branch
	}
	return name
}

func (o *opened) compareText(c *code.Comparison, word string) ([]byte, error) {
	if word == "patch" {
		return c.AppendPatches(o.r.Context(), nil)
	}
	changes, err := c.Changes(o.r.Context())
	if err != nil {
		return nil, err
	}
	return changes.AppendDiff(o.r.Context(), nil)
}

func (o *opened) compareJSON(c *code.Comparison, base, head string) (*result, error) {
	ctx := o.r.Context()
	p := o.r.pagingOf(maxCompared, maxCompared)
	names := url.PathEscape(base) + "..." + url.PathEscape(head)
	html := o.html + "/compare/"
	body := comparison{URL: o.url + "/compare/" + names, HTMLURL: html + names, PermalinkURL: html + o.Hex(c.Base.ID) + "..." + o.Hex(c.Head.ID),
		DiffURL: html + names + ".diff", PatchURL: html + names + ".patch", Status: c.Status(), AheadBy: c.Ahead, BehindBy: c.Behind,
		TotalCommits: c.Ahead, Files: []diffEntry{}}
	var err error
	if body.BaseCommit, err = o.commit(c.Base); err != nil {
		return nil, err
	}
	if body.MergeBase, err = o.commit(c.MergeBase); err != nil {
		return nil, err
	}
	list, err := c.Commits(ctx, (p.page-1)*p.size, p.page*p.size)
	if err != nil {
		return nil, err
	}
	if body.Commits, err = o.commits(list); err != nil {
		return nil, err
	}
	if p.page == 1 { // the files are on the first page only, as on GitHub
		changes, err := c.Changes(ctx)
		if err != nil {
			return nil, err
		}
		files, err := changes.Files(ctx, 0, maxFilesPage)
		if err != nil {
			return nil, err
		}
		body.Files = o.diffEntries(files, c.Head.ID)
	}
	return &result{status: http.StatusOK, body: body, link: o.a.link(o.r, p, p.page*p.size < c.Ahead)}, nil
}
