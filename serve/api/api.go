// Package api serves GitHub's REST API under /api/v3, as GitHub Enterprise
// Server does: the same paths, parameters, status codes, fields and headers, so
// that a client written for GitHub works unchanged.
//
// It turns requests into calls of hosting and account and their results into
// GitHub's JSON. It decides nothing: what a caller may not see answers 404, in
// the words of a path that does not exist.
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/serve"
)

// Base is the path below which the API is mounted.
const Base = "/api/v3"

// enterpriseVersion is the release of GitHub Enterprise Server whose API this
// is; clients choose their features by it.
const enterpriseVersion = "3.19.0"

// The JSON body of a request has at most maxBody bytes, or maxUpload where it brings files.
const (
	maxBody   = 1 << 20
	maxUpload = 64 << 20
)

// Config says what the API is about.
type Config struct {
	Hosting  *hosting.Service
	Accounts *account.Service
	Who      *serve.Authenticator
	Log      *slog.Logger
	URL      string // public address, no slash at its end
	SSH      string // public "host:port" of SSH; "" if it is not served
	Version  string
}

type api struct {
	Config
	base string // URL + Base
	code *code.Service
	host string // of URL, as it stands in addresses that reach nobody
}

// shared lets scripts of any site call the API, as GitHub's does. They get in
// only by a token that they have: to "*" browsers send nothing of their own.
func shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After, X-GitHub-Enterprise-Version, "+
			"X-GitHub-Media-Type, X-GitHub-Request-Id, X-OAuth-Scopes, X-Request-Id")
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, PUT, DELETE")
		h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, If-None-Match, User-Agent, "+
			"X-GitHub-Api-Version, X-Requested-With")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	})
}

// request is one call: who asks, with which parameters.
type request struct {
	*http.Request
	actor *forge.Actor
}

// param returns a named part of the path, decoded: clients write a branch's name
// as one segment, with its slashes as %2F.
func (r *request) param(name string) string {
	value := chi.URLParam(r.Request, name)
	if r.URL.RawPath == "" {
		return value // chi has routed by the decoded path
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// repository returns owner and name of the path.
func (r *request) repository() (owner, name string) { return r.param("owner"), r.param("repo") }

// result is what a handler answers.
type result struct {
	status   int
	body     any // encoded as JSON; nil for none
	location string
	link     string

	media string // Content-Type of raw or stream, which are answered in place of body
	raw   []byte
	// stream writes the answer; what fails after its first byte cuts the connection.
	stream   func(io.Writer) error
	done     func() // ends what stream reads from; may be nil
	filename string // under which a browser keeps it
	tag      string // the entity tag; "": made of the body
	// forever: the address has the id of what is answered, which therefore never changes.
	forever bool
}

func ok(body any) *result { return &result{status: http.StatusOK, body: body} }

// errNotFound is the answer for an address that the API does not have.
var errNotFound = &forge.Error{Kind: forge.NotFound, Message: "Not Found"}

// handle finds out who asks, calls the handler and writes what it returns.
func (a *api) handle(handler func(*request) (*result, error)) http.HandlerFunc {
	return a.handleUpTo(maxBody, handler)
}

// handleUpTo is handle for bodies of another size.
func (a *api) handleUpTo(limit int64, handler func(*request) (*result, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json; charset=utf-8")
		h.Set("X-GitHub-Media-Type", "github.v3; format=json")
		h.Set("X-GitHub-Enterprise-Version", enterpriseVersion)
		h.Set("X-GitHub-Request-Id", serve.RequestID(r.Context()))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "private, no-cache")
		h.Set("Vary", "Authorization, Accept")
		actor, err := a.Who.Actor(r)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if actor.Credential.Kind == forge.ByToken {
			h.Set("X-OAuth-Scopes", actor.Credential.Scopes.String())
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		res, err := handler(&request{Request: r, actor: actor})
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if res.done != nil {
			defer res.done()
		}
		a.write(w, r, res)
	}
}

// problem is GitHub's JSON of an error.
type problem struct {
	Message          string         `json:"message"`
	Errors           []fieldProblem `json:"errors,omitempty"`
	DocumentationURL string         `json:"documentation_url"`
	Status           string         `json:"status"`
}

type fieldProblem struct {
	Resource string `json:"resource"`
	Field    string `json:"field"`
	Code     string `json:"code"`
	Message  string `json:"message,omitempty"`
}

const documentation = "https://docs.github.com/rest"

// fail writes an error as GitHub would: a conflict over a field is a failed
// validation there, and a credential that is wrong is 401 in few words.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	answer := serve.AnswerTo(r.Context(), a.Log, err)
	var malformed *jsonError
	if errors.As(err, &malformed) {
		answer.Status, answer.Message = http.StatusBadRequest, malformed.message
	}
	p := problem{Message: answer.Message, DocumentationURL: documentation}
	for _, f := range answer.Fields {
		if f.Resource == "" {
			f.Resource = resourceOf(r.URL.Path)
		}
		p.Errors = append(p.Errors, fieldProblem(f))
	}
	switch {
	case answer.Status == http.StatusNotFound:
		p.Message, p.Errors = "Not Found", nil
	case answer.Status == http.StatusConflict && len(p.Errors) > 0:
		answer.Status = http.StatusUnprocessableEntity
	}
	if answer.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(answer.RetryAfter))
	}
	p.Status = strconv.Itoa(answer.Status)
	body, err := json.Marshal(p)
	if err != nil { // strings and numbers always encode
		body = nil
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(body)
}

// resourceOf names, in GitHub's words, what a request to a path is about.
func resourceOf(path string) string {
	switch {
	case strings.HasSuffix(path, "/user/keys"):
		return "PublicKey"
	case strings.Contains(path, "/collaborators/"):
		return "Collaborator"
	case strings.Contains(path, "/git/refs"):
		return "Reference"
	case strings.Contains(path, "/git/"), strings.Contains(path, "/commits"), strings.Contains(path, "/contents/"):
		return "Commit"
	}
	return "Repository"
}

// jsonError says that a request's body is not the JSON it should be.
type jsonError struct{ message string }

func (e *jsonError) Error() string { return e.message }

// decode reads the request's body, one JSON object, into v. Unknown fields are
// ignored, as GitHub does.
func (r *request) decode(v any) error {
	d := json.NewDecoder(r.Body)
	err := d.Decode(v)
	var tooLarge *http.MaxBytesError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.As(err, &wrongType) && wrongType.Field != "":
		field := strings.ToLower(wrongType.Field) // GitHub's fields are; Go's may not be
		return forge.Invalidf(field, forge.CodeInvalid, "%s is not a %s", field, wrongType.Type)
	case errors.Is(err, io.EOF), wrongType != nil:
		return &jsonError{"Body should be a JSON object"}
	case err != nil:
		return &jsonError{"Problems parsing JSON"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &jsonError{"Problems parsing JSON"}
	}
	return nil
}

// signedIn refuses callers who have not said who they are.
func (r *request) signedIn() error {
	if r.actor.User == nil {
		return forge.Deniedf(r.actor, "Requires authentication")
	}
	return nil
}

func (a *api) root(*request) (*result, error) {
	u := a.base
	return ok(map[string]string{
		"current_user_url":                     u + "/user",
		"current_user_repositories_url":        u + "/user/repos{?type,page,per_page,sort}",
		"keys_url":                             u + "/user/keys",
		"repository_url":                       u + "/repos/{owner}/{repo}",
		"user_url":                             u + "/users/{user}",
		"user_repositories_url":                u + "/users/{user}/repos{?type,page,per_page,sort}",
		"emails_url":                           u + "/user/emails",
		"organization_url":                     u + "/orgs/{org}",
		"rate_limit_url":                       u + "/rate_limit",
		"repository_search_url":                u + "/search/repositories?q={query}{&page,per_page,sort,order}",
		"current_user_authorizations_html_url": a.URL + "/settings/connections/applications{/client_id}",
	}), nil
}

func (a *api) meta(*request) (*result, error) {
	return ok(map[string]any{"verifiable_password_authentication": true, "installed_version": enterpriseVersion, "ingot_version": a.Version}), nil
}

// link returns the Link header of page n of a list, more telling whether there
// is a next one. The number of the last page is not known without counting, so
// "last" is given only on it, as GitHub does for lists it does not count.
func (a *api) link(r *request, p paging, more bool) string {
	at := func(n int, rel string) string {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(n))
		return fmt.Sprintf("<%s%s?%s>; rel=%q", a.URL, r.URL.EscapedPath(), q.Encode(), rel)
	}
	var links []string
	if p.page > 1 {
		links = append(links, at(p.page-1, "prev"), at(1, "first"))
	}
	if more {
		links = append(links, at(p.page+1, "next"))
	} else if p.page > 1 {
		links = append(links, at(p.page, "last"))
	}
	return strings.Join(links, ", ")
}

// paging is GitHub's page and per_page.
type paging struct{ page, size int }

const (
	defaultPageSize = 30
	maxPageSize     = 100
	// maxPage bounds how far a list is walked for one request.
	maxPage = 1000
)

func (r *request) paging() paging { return r.pagingOf(defaultPageSize, maxPageSize) }

func (r *request) pagingOf(standard, most int) paging {
	p := paging{page: 1, size: standard}
	q := r.URL.Query()
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 0 {
		p.page = min(n, maxPage)
	}
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > 0 {
		p.size = min(n, most)
	}
	return p
}

// pageOf cuts one page out of a list that is whole, or goes on behind the page.
func pageOf[T any](list []T, p paging) (page []T, more bool) {
	from := min((p.page-1)*p.size, len(list))
	to := min(from+p.size, len(list))
	return list[from:to], to < len(list)
}

// walk collects one page of a list that is read by cursor: next returns up to
// limit things that come after the given id, and id names a thing's own.
func walk[T any](p paging, id func(T) int64, next func(after int64, limit int) ([]T, error)) (page []T, more bool, err error) {
	skip, after := (p.page-1)*p.size, int64(0)
	for {
		batch, err := next(after, maxPageSize)
		if err != nil {
			return nil, false, err
		}
		for _, thing := range batch {
			after = id(thing)
			switch {
			case skip > 0:
				skip--
			case len(page) == p.size:
				return page, true, nil
			default:
				page = append(page, thing)
			}
		}
		if len(batch) < maxPageSize {
			return page, false, nil
		}
	}
}
