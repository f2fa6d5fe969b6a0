package api

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// What GitHub lacks: looking at a repository the way git does.

func (a *api) revParse(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		expression := r.URL.Query().Get("rev")
		if expression == "" {
			return nil, forge.Invalidf("rev", forge.CodeMissingField, "rev is missing")
		}
		done, err := o.Turn(r.Context())
		if err != nil {
			return nil, err
		}
		defer done()
		id, kind, err := o.Resolve(r.Context(), expression)
		if err != nil {
			return nil, err
		}
		return ok(map[string]string{"sha": o.Hex(id), "type": kind.String()}), nil
	})
}

// fileLine is a line of a listing of files.
type fileLine struct {
	treeItem
	LastCommit *lastCommit `json:"last_commit,omitempty"`
}

type lastCommit struct {
	SHA  string    `json:"sha"`
	URL  string    `json:"url"`
	Date time.Time `json:"date"`
}

func (a *api) listFiles(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		q := r.URL.Query()
		after, err := openCursor(q.Get("cursor"))
		if err != nil {
			return nil, err
		}
		done, err := o.Turn(r.Context())
		if err != nil {
			return nil, err
		}
		defer done()
		commit, err := o.Commit(r.Context(), q.Get("ref"))
		if err != nil {
			return nil, err
		}
		c, err := o.Read(r.Context(), commit)
		if err != nil {
			return nil, err
		}
		dir, err := o.Find(r.Context(), c.Tree, q.Get("path"))
		if err != nil {
			return nil, err
		}
		if dir.Kind != git.KindTree {
			return nil, forge.Invalidf("path", forge.CodeInvalid, "path is no directory")
		}
		recursive := q.Get("recursive") == "1" || q.Get("recursive") == "true"
		items, more, err := o.ListPage(r.Context(), dir.ID, recursive, after, r.pagingOf(maxPageSize, maxFilesListed).size)
		if err != nil {
			return nil, err
		}
		next := ""
		if more {
			next = items[len(items)-1].Cursor()
		}
		body := make([]fileLine, len(items))
		for i, item := range items {
			if dir.Path != "" {
				items[i].Path = dir.Path + "/" + item.Path
			}
			body[i].treeItem = treeItem{Path: items[i].Path, Mode: modeText(item.Mode), Type: item.Kind.String(), SHA: o.Hex(item.ID)}
			if item.Kind == git.KindBlob {
				body[i].Size = &item.Size
			}
		}
		if q.Get("last_commit") == "1" || q.Get("last_commit") == "true" {
			last, err := o.LastCommits(r.Context(), commit, items)
			if err != nil {
				return nil, err
			}
			for i := range items {
				if l, found := last[items[i].Path]; found {
					sha := o.Hex(l.Commit)
					body[i].LastCommit = &lastCommit{SHA: sha, URL: o.url + "/commits/" + sha, Date: time.Unix(l.Seconds, 0).UTC()}
				}
			}
		}
		return a.cursorPage(r, "files", body, next), nil
	})
}

// maxFilesListed is how many files one page has at most.
const maxFilesListed = 1000

// cursorPage answers a page of a list that is walked by cursor. The next page is in the
// body and, for clients that follow links, in the header.
func (a *api) cursorPage(r *request, name string, list any, next string) *result {
	body := map[string]any{name: list, "next_cursor": nil}
	res := ok(body)
	if next != "" {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(next))
		body["next_cursor"] = cursor
		q := r.URL.Query()
		q.Set("cursor", cursor)
		res.link = "<" + a.URL + r.URL.EscapedPath() + "?" + q.Encode() + `>; rel="next"`
	}
	return res
}

func openCursor(text string) (string, error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", forge.Invalidf("cursor", forge.CodeInvalid, "cursor is none that was given out")
	}
	return string(plain), nil
}

// numberCursor is a cursor that is a number; 0 for the beginning.
func numberCursor(r *request) (int64, error) {
	plain, err := openCursor(r.URL.Query().Get("cursor"))
	if err != nil || plain == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(plain, 10, 64)
	if err != nil || n < 0 {
		return 0, forge.Invalidf("cursor", forge.CodeInvalid, "cursor is none that was given out")
	}
	return n, nil
}

// blameRange is some lines of a file and the commit that brought them.
type blameRange struct {
	StartLine         int    `json:"start_line"`
	EndLine           int    `json:"end_line"`
	OriginalPath      string `json:"original_path"`
	OriginalStartLine int    `json:"original_start_line"`
	Commit            commit `json:"commit"`
}

func (a *api) blame(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		tip, err := o.Commit(r.Context(), r.URL.Query().Get("ref"))
		if err != nil {
			return nil, err
		}
		ranges, err := o.Blame(r.Context(), tip, r.param("*"), r.number("start_line"), r.number("end_line"))
		if err != nil {
			return nil, err
		}
		body := make([]blameRange, len(ranges))
		seen := map[git.ID]commit{}
		for i, one := range ranges {
			c, there := seen[one.Commit]
			if !there {
				whole, err := o.Read(r.Context(), one.Commit)
				if err != nil {
					return nil, err
				}
				if c, err = o.commit(whole); err != nil {
					return nil, err
				}
				seen[one.Commit] = c
			}
			body[i] = blameRange{one.Start, one.End, one.Path, one.OriginalStart, c}
		}
		return ok(map[string]any{"sha": o.Hex(tip), "ranges": body}), nil
	})
}

// movement is a line of the ref log.
type movement struct {
	ID     int64     `json:"id"`
	Ref    string    `json:"ref"`
	Before string    `json:"before"`
	After  string    `json:"after"`
	Actor  string    `json:"actor"`
	Why    string    `json:"why"`
	At     time.Time `json:"at"`
}

func (a *api) listRefLog(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		before, err := numberCursor(r)
		if err != nil {
			return nil, err
		}
		ref := r.URL.Query().Get("ref")
		if ref != "" {
			ref = fullName(ref)
		}
		limit := r.paging().size
		log, err := o.Handle.RefLog(r.Context(), ref, before, limit)
		if err != nil {
			return nil, err
		}
		body := make([]movement, 0, len(log))
		for _, m := range log {
			body = append(body, o.movement(m))
		}
		next := ""
		if len(log) == limit {
			next = strconv.FormatInt(log[len(log)-1].Seq, 10)
		}
		return a.cursorPage(r, "movements", body, next), nil
	})
}

// fullName completes the name of a branch.
func fullName(ref string) string {
	if strings.HasPrefix(ref, "refs/") {
		return ref
	}
	return "refs/heads/" + ref
}

// restoreRef points a ref at what it was at a time.
func (a *api) restoreRef(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			Ref string `json:"ref"`
			At  string `json:"at"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		at, err := time.Parse(time.RFC3339Nano, in.At)
		if err != nil {
			return nil, forge.Invalidf("at", forge.CodeInvalid, "at is not a date as ISO 8601 has it")
		}
		if in.Ref == "" {
			return nil, forge.Invalidf("ref", forge.CodeMissingField, "ref is missing")
		}
		name := fullName(in.Ref)
		target, err := o.Restore(r.Context(), name, at)
		if err != nil {
			return nil, err
		}
		body, err := a.gitRef(r.Context(), o, repo.Ref{Name: name, Target: target})
		return ok(body), err
	})
}

func (o *opened) movement(m repo.Movement) movement {
	return movement{ID: m.Seq, Ref: m.Ref, Before: o.Hex(m.Old), After: o.Hex(m.New), Actor: m.Who, Why: m.Why, At: m.Time.UTC()}
}

// happening is a line of the event log.
type happening struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	At      time.Time `json:"created_at"`
	Public  bool      `json:"public"`
	Payload any       `json:"payload"`
}

// listEvents lists events in order from a cursor on, so that a reader who goes on from the last one
// misses none.
func (a *api) listEvents(r *request) (*result, error) {
	owner, name := r.repository()
	// Events tell of collaborators and by which credential somebody came.
	h, err := a.Hosting.Open(r.Context(), r.actor, forge.ReadCollaborators, owner, name)
	if err != nil {
		return nil, err
	}
	after, err := numberCursor(r)
	if err != nil {
		return nil, err
	}
	events, err := h.Events(r.Context(), after, r.paging().size)
	if err != nil {
		return nil, err
	}
	body := make([]happening, len(events))
	for i, e := range events {
		after = e.Seq
		body[i] = happening{strconv.FormatInt(e.Seq, 10), string(e.Kind), e.Time.UTC(), !h.Repository.Private, e.Payload}
	}
	// There always is a next cursor: what comes later is found from there.
	res := a.cursorPage(r, "events", body, strconv.FormatInt(after, 10))
	if len(events) == 0 {
		res.link = ""
	}
	return res, nil
}
