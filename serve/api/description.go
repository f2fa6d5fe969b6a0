package api

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"
)

// ownOperations are those that GitHub lacks: what they do.
var ownOperations = map[string]string{
	"POST /repos/{owner}/{repo}/commits":         "Commit any number of files at once; expected_head_sha is a compare-and-swap",
	"GET /repos/{owner}/{repo}/rev-parse":        "Resolve an expression of git's revision syntax",
	"GET /repos/{owner}/{repo}/files":            "List files by cursor, with their last commits if asked",
	"GET /repos/{owner}/{repo}/blame/{path}":     "Who wrote which lines",
	"GET /repos/{owner}/{repo}/stats":            "Count commits, branches, tags, files, contributors and languages",
	"GET /repos/{owner}/{repo}/ref-log":          "What refs were, newest first",
	"POST /repos/{owner}/{repo}/ref-log/restore": "Point a ref at what it was at a time",
	"GET /repos/{owner}/{repo}/events":           "Every event in order, by cursor",
	"GET /repos/{owner}/{repo}/git/refs":         "List all refs; GitHub had this before matching-refs",
	"GET /openapi.json":                          "This description",
}

// rest names what a wildcard at the end of a route stands for.
var rest = []struct{ under, name string }{
	{"/branches/", "branch"}, {"/git/refs/", "ref"}, {"/git/ref/", "ref"}, {"/git/matching-refs/", "ref"}, {"/git/trees/", "tree_sha"},
	{"/compare/", "basehead"}, {"/commits/", "ref"}, {"/tarball/", "ref"}, {"/zipball/", "ref"}, {"/readme/", "dir"},
}

var inBraces = regexp.MustCompile(`\{([^}]+)\}`)

// describe makes an OpenAPI description out of the routes: which operations there are. Those of GitHub's
// are as GitHub describes them.
func describe(routes chi.Routes, server, version string) (map[string]any, error) {
	paths := map[string]map[string]any{}
	err := chi.Walk(routes, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		path := "/" + strings.Trim(route, "/")
		if start, wild := strings.CutSuffix(path, "*"); wild {
			name := "path"
			for _, r := range rest {
				if strings.HasSuffix(start, r.under) {
					name = r.name
				}
			}
			path = start + "{" + name + "}"
			if method == http.MethodPost && name == "branch" {
				path += "/rename"
			}
		}
		of := paths[path]
		if of == nil {
			of = map[string]any{}
			paths[path] = of
		}
		of[strings.ToLower(method)] = operation(method, path)
		return nil
	})
	return map[string]any{
		"openapi": "3.0.3",
		"info":    map[string]any{"title": "Ingot", "version": version, "description": "GitHub's REST API as GitHub Enterprise Server " + enterpriseVersion + " has it, and some operations more."},
		"servers": []any{map[string]any{"url": server}},
		"paths":   paths,
	}, err
}

func operation(method, path string) map[string]any {
	o := map[string]any{"operationId": strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(path),
		"responses": map[string]any{"default": map[string]any{"description": "A result, or an error with a message"}}}
	if summary, own := ownOperations[method+" "+path]; own {
		o["summary"] = summary
		o["tags"] = []string{"ingot"}
	} else {
		o["externalDocs"] = map[string]string{"url": documentation}
	}
	var parameters []any
	for _, match := range inBraces.FindAllStringSubmatch(path, -1) {
		parameters = append(parameters, map[string]any{"name": match[1], "in": "path", "required": true, "schema": map[string]string{"type": "string"}})
	}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	return o
}
