package api

import (
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/ingot-forge/ingot/forge/code"
)

// New returns the handler of everything below Base.
func New(c Config) http.Handler {
	a := &api{Config: c, base: c.URL + Base, code: code.NewService(), host: "localhost"}
	if u, err := url.Parse(c.URL); err == nil && u.Hostname() != "" {
		a.host = u.Hostname()
	}
	r := chi.NewRouter()
	r.Get("/", a.handle(a.root))
	r.Get("/meta", a.handle(a.meta))
	r.Get("/user", a.handle(a.getUser))
	r.Get("/user/repos", a.handle(a.listOwnRepositories))
	r.Post("/user/repos", a.handle(a.createRepository))
	r.Get("/user/keys", a.handle(a.listKeys))
	r.Post("/user/keys", a.handle(a.createKey))
	r.Delete("/user/keys/{key}", a.handle(a.deleteKey))
	r.Get("/users/{login}", a.handle(a.getUserByLogin))
	r.Get("/users/{login}/repos", a.handle(a.listRepositoriesOf))
	r.Route("/repos/{owner}/{repo}", func(r chi.Router) {
		r.Get("/", a.handle(a.getRepository))
		r.Patch("/", a.handle(a.editRepository))
		r.Delete("/", a.handle(a.deleteRepository))
		r.Get("/forks", a.handle(a.listForks))
		r.Post("/forks", a.handle(a.createFork))
		r.Get("/collaborators", a.handle(a.listCollaborators))
		r.Put("/collaborators/{login}", a.handle(a.setCollaborator))
		r.Delete("/collaborators/{login}", a.handle(a.removeCollaborator))
		a.codeRoutes(r)
	})
	r.Get("/openapi.json", a.handle(func(*request) (*result, error) {
		body, err := describe(r, a.base, a.Version)
		return ok(body), err
	}))
	unknown := a.handle(func(*request) (*result, error) { return nil, errNotFound })
	r.NotFound(unknown)
	r.MethodNotAllowed(unknown) // GitHub answers 404 there too
	return shared(r)
}

// codeRoutes are what a repository holds. Names of branches and paths of files may have
// slashes, so they are the rest of the address, with what may follow them.
func (a *api) codeRoutes(r chi.Router) {
	upload := func(h func(*request) (*result, error)) http.HandlerFunc { return a.handleUpTo(maxUpload, h) }
	r.Get("/branches", a.handle(a.listBranches))
	r.Get("/branches/*", a.handle(a.getBranch))
	r.Post("/branches/*", a.handle(a.renameBranch))
	r.Get("/tags", a.handle(a.listTags))

	r.Get("/git/refs", a.handle(a.listRefs))
	r.Post("/git/refs", a.handle(a.createRef))
	r.Patch("/git/refs/*", a.handle(a.updateRef))
	r.Delete("/git/refs/*", a.handle(a.deleteRef))
	r.Get("/git/matching-refs/*", a.handle(a.listMatchingRefs))
	r.Get("/git/ref/*", a.handle(a.getRef))
	r.Post("/git/blobs", upload(a.createBlob))
	r.Get("/git/blobs/{sha}", a.handle(a.getBlob))
	r.Post("/git/trees", upload(a.createTree))
	r.Get("/git/trees/*", a.handle(a.getTree))
	r.Post("/git/commits", a.handle(a.createGitCommit))
	r.Get("/git/commits/{sha}", a.handle(a.getGitCommit))
	r.Post("/git/tags", a.handle(a.createTag))
	r.Get("/git/tags/{sha}", a.handle(a.getTag))

	r.Get("/contents", a.handle(a.getContents))
	r.Get("/contents/*", a.handle(a.getContents))
	r.Put("/contents/*", upload(a.putContents))
	r.Delete("/contents/*", a.handle(a.deleteContents))
	r.Get("/readme", a.handle(a.getReadme))
	r.Get("/readme/*", a.handle(a.getReadme))
	for _, kind := range []string{"tarball", "zipball"} {
		r.Get("/"+kind, a.handle(a.archive(kind)))
		r.Get("/"+kind+"/*", a.handle(a.archive(kind)))
	}

	r.Get("/commits", a.handle(a.listCommits))
	r.Post("/commits", upload(a.commitFiles))
	r.Get("/commits/*", a.handle(a.getCommit))
	r.Get("/compare/*", a.handle(a.compare))

	r.Get("/languages", a.handle(a.listLanguages))
	r.Get("/contributors", a.handle(a.listContributors))
	r.Get("/stats", a.handle(a.getStats))
	r.Get("/rev-parse", a.handle(a.revParse))
	r.Get("/files", a.handle(a.listFiles))
	r.Get("/blame/*", a.handle(a.blame))
	r.Get("/ref-log", a.handle(a.listRefLog))
	r.Post("/ref-log/restore", a.handle(a.restoreRef))
	r.Get("/events", a.handle(a.listEvents))
}
