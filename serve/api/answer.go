package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// write answers with a result: the body as JSON, or the bytes as they are. What the client
// has already is not sent again.
func (a *api) write(w http.ResponseWriter, r *http.Request, res *result) {
	body, err := res.bytes()
	if err != nil {
		a.fail(w, r, err)
		return
	}
	h := w.Header()
	if res.location != "" {
		h.Set("Location", res.location)
	}
	if res.link != "" {
		h.Set("Link", res.link)
	}
	if res.media != "" {
		h.Set("Content-Type", res.media)
		if word := mediaOf(r); word != "" {
			h.Set("X-GitHub-Media-Type", "github.v3; param="+word)
		}
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // they are others' bytes
	} else if body == nil {
		h.Del("Content-Type")
	}
	if res.filename != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": res.filename}))
	}
	if res.status == http.StatusOK {
		tag := res.tag
		if tag == "" {
			sum := sha256.Sum256(body)
			tag = `"` + hex.EncodeToString(sum[:16]) + `"`
		}
		h.Set("ETag", tag)
		if res.forever {
			h.Set("Cache-Control", "private, max-age=31536000, immutable")
		}
		if r.Method == http.MethodGet && matches(r.Header.Get("If-None-Match"), tag) {
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if res.stream != nil {
		a.stream(w, r, res)
		return
	}
	w.WriteHeader(res.status)
	_, _ = w.Write(body) // a client that left needs no answer
}

func (res *result) bytes() ([]byte, error) {
	switch {
	case res.stream != nil:
		return nil, nil
	case res.media != "":
		return res.raw, nil
	case res.body == nil:
		return nil, nil
	}
	body, err := json.Marshal(res.body)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return body, nil
}

// counted notes whether anything was written.
type counted struct {
	http.ResponseWriter
	any bool
}

func (c *counted) Write(p []byte) (int, error) {
	c.any = true
	return c.ResponseWriter.Write(p)
}

// stream answers with what is too much for memory.
func (a *api) stream(w http.ResponseWriter, r *http.Request, res *result) {
	out := &counted{ResponseWriter: w}
	err := res.stream(out)
	if err == nil {
		return
	}
	if out.any {
		a.Log.Warn("an answer was cut", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
	}
	h := w.Header()
	for _, name := range []string{"ETag", "Content-Disposition", "Content-Security-Policy"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	a.fail(w, r, err)
}

// matches reports whether a list of entity tags has tag in it, weak or strong.
func matches(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == tag || one == "*" {
			return true
		}
	}
	return false
}

// fresh returns the answer for a client that has an unchanging thing already, and nil if
// the work has to be done.
func (r *request) fresh(tag string) *result {
	if matches(r.Header.Get("If-None-Match"), tag) {
		return &result{status: http.StatusOK, tag: tag, forever: true}
	}
	return nil
}

// mediaOf returns the word that an Accept header of GitHub's asks for: "raw", "html",
// "object", "diff", "patch", "sha"; "" for JSON.
func mediaOf(r *http.Request) string {
	for one := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		word, ours := strings.CutPrefix(name, "application/vnd.github.")
		if !ours {
			continue
		}
		word = strings.TrimSuffix(word, "+json")
		word = strings.TrimPrefix(strings.TrimPrefix(word, "v3"), ".")
		switch word {
		case "raw", "html", "object", "diff", "patch", "sha":
			return word
		}
	}
	return ""
}

// asMedia is an answer of bytes under the name of GitHub's media type.
func asMedia(word string, raw []byte) *result {
	return &result{status: http.StatusOK, media: "application/vnd.github." + word + "; charset=utf-8", raw: raw}
}

// number reads a parameter that counts from 1; 0 if it is missing or no number.
func (r *request) number(name string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
