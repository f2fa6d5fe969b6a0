package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// description is GitHub's own description of its API (npm's @octokit/openapi, which
// tools/setup fetches). Every answer of every test here is held against it: see world.call.
const description = "../../.cache/github-openapi.json"

// operation is one that GitHub describes.
type operation struct {
	template string
	path     *regexp.Regexp
	item     *openapi3.PathItem
}

// described are the operations of paths that we might serve; nil if the description is not there.
var described = sync.OnceValue(func() []operation {
	data, err := os.ReadFile(description)
	if err != nil {
		return nil
	}
	whole, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", description, err))
	}
	var all []operation
	for template, item := range whole.Paths.Map() {
		pattern := regexp.QuoteMeta(template)
		pattern = longParameter.ReplaceAllString(pattern, ".+")
		pattern = parameter.ReplaceAllString(pattern, "[^/]+")
		all = append(all, operation{template, regexp.MustCompile("^" + pattern + "$"), item})
	}
	// Of several that fit, the one with most of it spelt out.
	slices.SortFunc(all, func(a, b operation) int { return literal(b.template) - literal(a.template) })
	return all
})

// TestDescriptionIsThere keeps the check from being left out unnoticed.
func TestDescriptionIsThere(t *testing.T) {
	if described() != nil {
		return
	}
	if testing.Short() {
		t.Skip("GitHub's description of its API is not there: run tools/setup")
	}
	t.Errorf("%s is not there, so that no answer was held against it: run tools/setup", description)
}

var (
	parameter     = regexp.MustCompile(`\\\{[^}]*\\\}`)
	longParameter = regexp.MustCompile(`\\\{(?:ref|path|branch|basehead|dir|tree_sha|commit_sha)\\\}`) // may have slashes
)

func literal(template string) int {
	return len(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(template, ""))
}

// ours are our own operations, and those of GitHub's where we answer otherwise on purpose.
var ours = []string{"GET /repos/{owner}/{repo}/events", "GET /repos/{owner}/{repo}/stats", "GET /"}

// checked counts the answers that were held against the description, by operation.
var checked sync.Map

// conform holds an answer against GitHub's description.
func (a answer) conform(t *testing.T, asked *http.Request, path string) {
	t.Helper()
	method := asked.Method
	path, _, _ = strings.Cut(path, "?")
	if path == "" {
		path = "/"
	}
	for _, o := range described() {
		op := o.item.GetOperation(method)
		if op == nil || !o.path.MatchString(path) || slices.Contains(ours, method+" "+o.template) {
			continue
		}
		if fault := a.fault(op, asked); fault != "" {
			t.Errorf("%s %s answers %d, which is not as %s has it: %s\n%.2000s", method, path, a.status, o.template, fault, a.text)
		}
		checked.Store(method+" "+o.template, true)
		return
	}
}

func (a answer) fault(op *openapi3.Operation, asked *http.Request) string {
	response := op.Responses.Status(a.status)
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	switch {
	case a.status == http.StatusNotModified || media != "application/json":
		return ""
	case response == nil && a.status < 300:
		return "there is no such answer"
	case response == nil: // of failures it names only some
		return ""
	}
	content := response.Value.Content
	for _, name := range []string{asked.Header.Get("Accept"), media} {
		if of := content[name]; of != nil && of.Schema != nil {
			var body any
			if err := json.Unmarshal([]byte(a.text), &body); err != nil {
				return err.Error()
			}
			err := of.Schema.Value.VisitJSON(body, openapi3.MultiErrors())
			if err != nil && !(a.status >= 400 && strings.Contains(err.Error(), "more than one oneOf")) { // its kinds of error overlap
				return err.Error()
			}
			return ""
		}
	}
	return ""
}

// TestMain lists what was held against GitHub's description.
func TestMain(m *testing.M) {
	status := m.Run()
	if testing.Verbose() {
		var all []string
		checked.Range(func(key, _ any) bool { all = append(all, key.(string)); return true })
		slices.Sort(all)
		fmt.Printf("answers conform to GitHub's description of %d operations\n", len(all))
		for _, one := range all {
			fmt.Println("  " + one)
		}
	}
	os.Exit(status)
}
