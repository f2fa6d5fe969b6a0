package sqldb_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// foreign are words that one of the two databases does not have or means
// differently.
var foreign = regexp.MustCompile(`(?i)\b(AUTOINCREMENT|ROWID|PRAGMA|GLOB|REPLACE INTO|INSERT OR|IFNULL|DATETIME|STRFTIME|` +
	`JULIANDAY|GROUP_CONCAT|LAST_INSERT_ROWID|CHANGES\(|JSON_EACH|BLOB|BYTEA|SERIAL|GENERATED|ILIKE|LIKE|ANY\(|UNNEST|` +
	`NOW\(|INTERVAL|FOR UPDATE|GREATEST|NULLS (FIRST|LAST)|COLLATE|IMMEDIATE)|[^$]\?[^,)]|::`)

var statement = regexp.MustCompile(`(?s)^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|UNION)\b| (WHERE|VALUES|ON CONFLICT|ORDER BY|LIMIT) `)

// Statements outside dialect.go are in the words that both databases have.
func TestOneSQL(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || name == "dialect.go" {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if ok && lit.Kind == token.STRING && statement.MatchString(strings.Trim(lit.Value, "`\"")) {
				found++
				if word := foreign.FindString(lit.Value); word != "" {
					t.Errorf("%s: %q belongs in dialect.go", fset.Position(lit.Pos()), word)
				}
			}
			return true
		})
	}
	if found < 30 {
		t.Errorf("only %d statements found: the test does not see them", found)
	}
	steps, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(steps) == 0 {
		t.Fatal(steps, err)
	}
	for _, name := range steps {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			line, _, _ = strings.Cut(line, "--")
			if word := foreign.FindString(line); word != "" {
				t.Errorf("%s:%d: %q belongs in dialect.go", name, i+1, word)
			}
		}
	}
}
