package ingot_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers says which of our packages each package may import. It is the
// architecture: a word more in a row is a decision and gets a page in
// docs/decisions. A package whose row is missing fails the test.
var layers = map[string]string{
	"git":              "",
	"git/archive":      "git git/attributes git/pathspec",
	"git/fsck":         "git",
	"git/pack":         "git",
	"git/wire":         "git",
	"git/commitgraph":  "git",
	"git/lasttree":     "git",
	"git/bitmap":       "git git/commitgraph git/lasttree git/pack",
	"git/history":      "git git/bitmap git/commitgraph git/lasttree",
	"git/diff":         "git",
	"git/ancestry":     "git git/commitgraph",
	"git/treepath":     "git",
	"git/revlog":       "git git/ancestry git/commitgraph git/diff git/treepath",
	"git/blame":        "git git/ancestry git/commitgraph git/diff git/treepath",
	"git/revision":     "git git/ancestry git/treepath",
	"git/mailmap":      "git",
	"git/merge":        "git git/ancestry git/diff git/revlog",
	"git/wildmatch":    "",
	"git/pathspec":     "git/wildmatch",
	"git/attributes":   "git git/wildmatch",
	"git/grep":         "git git/pathspec",
	"git/repo":         "git git/bitmap git/commitgraph git/fsck git/pack",
	"git/repo/memrepo": "git git/repo",
	"git/transfer":     "git git/archive git/bitmap git/fsck git/history git/pack git/repo git/wire",

	"forge":         "",
	"forge/account": "forge",
	"forge/hosting": "forge git git/history git/pack git/repo git/transfer",
	"forge/code":    "forge forge/hosting git git/ancestry git/archive git/blame git/diff git/fsck git/history git/mailmap git/repo git/revision git/revlog git/treepath",

	"store/disk":  "git/repo",
	"store/sqldb": "forge forge/account forge/hosting git git/repo",

	"serve":         "forge forge/account",
	"serve/githttp": "forge forge/hosting git/transfer serve",
	"serve/ssh":     "forge forge/account forge/hosting git/transfer serve",
	"serve/api":     "forge forge/account forge/code forge/hosting git git/archive git/diff git/repo serve",
	"serve/web":     "forge forge/account forge/hosting serve",

	".":         "forge forge/account forge/hosting git git/fsck git/pack git/repo git/transfer serve serve/api serve/githttp serve/ssh serve/web store/disk store/sqldb",
	"cmd/ingot": ". forge forge/account forge/hosting git/pack git/repo git/transfer",

	// Conformance suites and models: imported by tests only.
	"git/gittest":               "git git/commitgraph",
	"git/repo/repotest":         "git git/repo git/repo/memrepo",
	"forge/account/accounttest": "forge forge/account",
	"forge/hosting/hostingtest": "forge forge/hosting git git/repo git/repo/memrepo",
	"e2e":                       "",
	"tools/bench":               "",
	"tools/history":             "",
}

// reserved says which packages alone may import a package from outside: the
// places where a kind of effect on the world is allowed.
var reserved = map[string]string{
	"database/sql":  "store/sqldb",
	"net/http":      "serve serve/api serve/githttp serve/web forge/notify store/s3 . cmd/ingot",
	"html/template": "serve/web",
	"os":            "store/disk cmd/ingot",
	"os/exec":       "",
	"os/signal":     "cmd/ingot",
	"syscall":       "store/disk serve/ssh cmd/ingot",
	"log":           "",
	"unsafe":        "git/pack store/disk",
}

const module = "github.com/ingot-forge/ingot"

type listed struct {
	ImportPath string
	Imports    []string
}

func TestLayers(t *testing.T) {
	for _, p := range ours(t) {
		name := short(p.ImportPath)
		row, ok := layers[name]
		if !ok {
			t.Errorf("package %s has no row in the table of layers", name)
			continue
		}
		allowed := strings.Fields(row)
		for _, imported := range p.Imports {
			if imported == module || strings.HasPrefix(imported, module+"/") {
				if s := short(imported); !slices.Contains(allowed, s) {
					t.Errorf("%s imports %s; its row allows %q", name, s, row)
				}
				continue
			}
			holders, ok := reserved[imported]
			if ok && !forTests(name) && !slices.Contains(strings.Fields(holders), name) {
				t.Errorf("%s imports %s, which is reserved for %q", name, imported, holders)
			}
		}
	}
}

// TestEngineStandsAlone keeps git/ a library of its own: nothing of ours from
// outside git/, and from third parties only what a decision page names.
func TestEngineStandsAlone(t *testing.T) {
	decided := []string{"github.com/pjbgf/sha1cd", "github.com/klauspost/compress/flate", "github.com/klauspost/compress/zlib"}
	for _, p := range ours(t) {
		name := short(p.ImportPath)
		if (name != "git" && !strings.HasPrefix(name, "git/")) || forTests(name) {
			continue
		}
		for _, imported := range p.Imports {
			switch {
			case imported == module+"/git" || strings.HasPrefix(imported, module+"/git/"):
			case !strings.Contains(strings.SplitN(imported, "/", 2)[0], "."): // standard library
			case slices.Contains(decided, imported):
			default:
				t.Errorf("%s imports %s: the engine imports nothing from outside git/ without a decision", name, imported)
			}
		}
	}
}

// TestNoMagnets refuses the package names that attract everything.
func TestNoMagnets(t *testing.T) {
	for _, p := range ours(t) {
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "manager", "misc"}, path.Base(p.ImportPath)) {
			t.Errorf("package %s: name it after its idea", short(p.ImportPath))
		}
	}
}

// forTests reports whether a package serves tests and measurements only.
func forTests(name string) bool {
	return strings.HasSuffix(path.Base(name), "test") || name == "e2e" || strings.HasPrefix(name, "tools/")
}

func short(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func ours(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
