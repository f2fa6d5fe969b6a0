package code_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/git"
)

func (w *world) edit(v *code.View, changes ...code.Change) (git.ID, error) {
	author := code.Author(v.Handle, "forge.example")
	written, err := v.Write(w.t.Context(), code.Edit{Message: "edit", Author: author, Committer: author, Changes: changes})
	return written.Commit, err
}

// files lists a commit's files with their content.
func files(t *testing.T, v *code.View, commit git.ID) map[string]string {
	t.Helper()
	c, err := v.Read(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	items, truncated, err := v.List(t.Context(), c.Tree, true)
	if err != nil || truncated {
		t.Fatalf("%v, truncated: %t", err, truncated)
	}
	found := map[string]string{}
	for _, i := range items {
		if i.Kind == git.KindBlob {
			data, err := v.Content(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			found[i.Path] = string(data)
		}
	}
	return found
}

func TestWrite(t *testing.T) {
	w := open(t)
	v := w.view(forge.Push)
	text := func(path, content string) code.Change { return code.Change{Path: path, Content: []byte(content)} }
	gone := func(path string) code.Change { return code.Change{Path: path, Delete: true} }
	for _, step := range []struct {
		changes []code.Change
		want    map[string]string // nil: refused
	}{
		{[]code.Change{text("a/b/c", "1"), text("d", "2")}, map[string]string{"a/b/c": "1", "d": "2"}},
		{[]code.Change{gone("a/b/c")}, map[string]string{"d": "2"}}, // and the directories that are empty now
		{[]code.Change{text("d/e", "3"), gone("d")}, map[string]string{"d/e": "3"}},
		{[]code.Change{text("d", "4"), gone("d/e")}, map[string]string{"d": "4"}},
		{[]code.Change{text("d/e", "5")}, nil},
		{[]code.Change{gone("nope")}, nil},
		{[]code.Change{gone("no/such/dir")}, nil},
		{[]code.Change{text("x/y", "6"), text("x", "7")}, nil},
		{[]code.Change{text("x", ""), text("x", "")}, nil},
		{[]code.Change{text("", "")}, nil},
		{[]code.Change{text("/x", "")}, nil},
		{[]code.Change{text("x/", "")}, nil},
		{[]code.Change{text("a/./x", "")}, nil},
		{[]code.Change{text(".git", "")}, nil},
		{[]code.Change{text("a/.giT/hooks/x", "")}, nil},
		{[]code.Change{text("nul\x00", "")}, nil},
		{[]code.Change{text(strings.Repeat("x", 5000), "")}, nil},
		{[]code.Change{{Path: "x", Object: git.ID{1}}}, nil},
		{[]code.Change{{Path: "x", Mode: git.ModeTree, Object: git.ID{1}}}, nil},
		{[]code.Change{text("x/y/z", "8"), text("x/y.z", "9"), text("x-", "")}, map[string]string{"d": "4", "x/y/z": "8", "x/y.z": "9", "x-": ""}},
		{[]code.Change{gone("x")}, map[string]string{"d": "4", "x-": ""}},
	} {
		id, err := w.edit(v, step.changes...)
		if step.want == nil {
			wantKind(t, step.changes[0].Path, err, forge.Invalid)
			continue
		}
		if err != nil {
			t.Fatalf("%v: %v", step.changes, err)
		}
		if have := files(t, v, id); !maps.Equal(have, step.want) {
			t.Errorf("%v: %v, want %v", step.changes, have, step.want)
		}
	}
	_, err := w.edit(v, code.Change{Path: "d", Was: &git.ID{7}})
	var stale *code.StaleError
	if !errors.As(err, &stale) || stale.Path != "d" || stale.Is.IsZero() {
		t.Errorf("stale: %v", err)
	}
	_, err = w.edit(w.view(forge.Read), text("x", ""))
	if err == nil {
		t.Error("a view that was opened to read was written to")
	}
}

// TestWriteOnTop: an edit goes on top of what came in between, unless it expects otherwise.
func TestWriteOnTop(t *testing.T) {
	w := open(t)
	first, second := w.view(forge.Push), w.view(forge.Push)
	if _, err := w.edit(first, code.Change{Path: "one"}); err != nil {
		t.Fatal(err)
	}
	id, err := w.edit(second, code.Change{Path: "two"})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files(t, second, id))); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("%v", got)
	}
	author := code.Author(first.Handle, "forge.example")
	head, err := first.Commit(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	_, err = first.Write(t.Context(), code.Edit{Message: "x", Author: author, Committer: author, Head: &head, Changes: []code.Change{{Path: "three"}}})
	wantKind(t, "an expected head that is not there any more", err, forge.Conflict)
	_, err = first.Write(t.Context(), code.Edit{Message: "x", Author: author, Committer: author, Start: "main", Branch: "main"})
	wantKind(t, "a branch that is there", err, forge.Conflict)
}

func TestNoreply(t *testing.T) {
	address := code.Noreply(7, "Alice", "forge.example")
	if id, ok := code.FromNoreply(address, "FORGE.example"); !ok || id != 7 {
		t.Errorf("%s: %d, %t", address, id, ok)
	}
	for _, address := range []string{"", "alice@example.org", "7+alice@users.noreply.other.example", "+alice@users.noreply.forge.example",
		"-7+alice@users.noreply.forge.example", "7@users.noreply.forge.example", "7+a b@users.noreply.forge.example"} {
		if id, ok := code.FromNoreply(address, "forge.example"); ok {
			t.Errorf("%s is taken for the address of %d", address, id)
		}
	}
}
