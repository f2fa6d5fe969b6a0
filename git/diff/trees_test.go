package diff_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// special has a file of every kind, and names that sort or quote badly.
func special(format git.Format) (old, new files) {
	a, b := strings.Repeat("a", format.HexSize()), strings.Repeat("b", format.HexSize())
	old = files{
		"same":            {git.ModeBlob, "same\n"},
		"gone":            {git.ModeBlob, "1\n2\n"},
		"gone-empty":      {git.ModeBlob, ""},
		"changed":         {git.ModeBlob, "one\ntwo\nthree\n"},
		"mode":            {git.ModeBlob, "#!\n"},
		"mode-changed":    {git.ModeExecutable, "#!\nx\n"},
		"to-link":         {git.ModeBlob, "target"},
		"to-file":         {git.ModeSymlink, "target"},
		"to-submodule":    {git.ModeBlob, "text\n"},
		"from-submodule":  {git.ModeSubmodule, a},
		"link":            {git.ModeSymlink, "here"},
		"module":          {git.ModeSubmodule, a},
		"module-gone":     {git.ModeSubmodule, a},
		"binary":          {git.ModeBlob, "\x00\x01"},
		"binary-gone":     {git.ModeBlob, "\x00\x02"},
		"binary-mode":     {git.ModeBlob, "\x00\x03"},
		"was-binary":      {git.ModeBlob, "\x00\x04\n"},
		"binary-late":     {git.ModeBlob, strings.Repeat("x\n", 4000) + "\x00"},
		"binary-almost":   {git.ModeBlob, strings.Repeat("x\n", 3999) + "x\x00\n"},
		"no-newline":      {git.ModeBlob, "a\nb"},
		"newline":         {git.ModeBlob, "a\nb\n"},
		"both-no-newline": {git.ModeBlob, "a\nb"},
		"crlf":            {git.ModeBlob, "a\r\nb\r\n"},
		"dir":             {git.ModeBlob, "a file\n"},
		"dir-x":           {git.ModeBlob, "x\n"},
		"dir2/file":       {git.ModeBlob, "in a directory\n"},
		"a/b/c/d/e":       {git.ModeBlob, "deep\n"},
		"a/b.c/d":         {git.ModeBlob, "b.c\n"},
		"with space":      {git.ModeBlob, "s\n"},
		"with\ttab":       {git.ModeBlob, "t\n"},
		"with\nline":      {git.ModeBlob, "l\n"},
		"with\"quote":     {git.ModeBlob, "q\n"},
		"with\\slash":     {git.ModeBlob, "q\n\n"},
		"ünïcode/日本":      {git.ModeBlob, "u\n"},
		"\x01\x7f\xff":    {git.ModeBlob, "c\n"},
		"-dash":           {git.ModeBlob, "d\n"},
		"latin":           {git.ModeBlob, "fonction d\xe9but\n" + strings.Repeat("\tx\n", 9) + "\ty\n"},
		"long heading":    {git.ModeBlob, "f" + strings.Repeat("é", 60) + "\n" + strings.Repeat("\tx\n", 9) + "\ty\n"},
		"nul heading":     {git.ModeBlob, strings.Repeat("\tx\n", 4100) + "f\x00g\n" + strings.Repeat("\tx\n", 9) + "\ty\n"},
		"fffe heading":    {git.ModeBlob, "f\xef\xbf\xbeg\n" + strings.Repeat("\tx\n", 9) + "\ty\n"},
	}
	new = files{
		"same":            old["same"],
		"new":             {git.ModeBlob, "1\n2\n3\n"},
		"new-empty":       {git.ModeExecutable, ""},
		"new-link":        {git.ModeSymlink, "there"},
		"new-binary":      {git.ModeBlob, "\x00\x05"},
		"new-module":      {git.ModeSubmodule, b},
		"changed":         {git.ModeBlob, "one\n2\nthree\n"},
		"mode":            {git.ModeExecutable, "#!\n"},
		"mode-changed":    {git.ModeBlob, "#!\ny\n"},
		"to-link":         {git.ModeSymlink, "target"},
		"to-file":         {git.ModeBlob, "target\n"},
		"to-submodule":    {git.ModeSubmodule, b},
		"from-submodule":  {git.ModeBlob, "text\n"},
		"link":            {git.ModeSymlink, "elsewhere"},
		"module":          {git.ModeSubmodule, b},
		"binary":          {git.ModeBlob, "\x00\x06"},
		"binary-mode":     {git.ModeExecutable, "\x00\x03"},
		"was-binary":      {git.ModeBlob, "text\n"},
		"binary-late":     {git.ModeBlob, strings.Repeat("x\n", 4000) + "\x00\n"},
		"binary-almost":   {git.ModeBlob, strings.Repeat("x\n", 3999) + "x\x00"},
		"no-newline":      {git.ModeBlob, "a\nb\n"},
		"newline":         {git.ModeBlob, "a\nb"},
		"both-no-newline": {git.ModeBlob, "a\nb\nc"},
		"crlf":            {git.ModeBlob, "a\r\nb\n"},
		"dir/file":        {git.ModeBlob, "now in a directory\n"},
		"dir-x":           {git.ModeBlob, "y\n"},
		"dir2":            {git.ModeBlob, "now a file\n"},
		"a/b/c/d/e":       {git.ModeBlob, "deeper\n"},
		"a/b.c/d":         {git.ModeBlob, "b.c.\n"},
		"with space":      {git.ModeBlob, "S\n"},
		"with\ttab":       {git.ModeBlob, "T\n"},
		"with\nline":      {git.ModeBlob, "L\n"},
		"with\"quote":     {git.ModeBlob, "Q\n"},
		"with\\slash":     {git.ModeBlob, "Q\n\n"},
		"ünïcode/日本":      {git.ModeBlob, "U\n"},
		"\x01\x7f\xff":    {git.ModeBlob, "C\n"},
		"-dash":           {git.ModeBlob, "D\n"},
		"latin":           {git.ModeBlob, "fonction d\xe9but\n" + strings.Repeat("\tx\n", 9) + "\tz\n"},
		"long heading":    {git.ModeBlob, "f" + strings.Repeat("é", 60) + "\n" + strings.Repeat("\tx\n", 9) + "\tz\n"},
		"nul heading":     {git.ModeBlob, strings.Repeat("\tx\n", 4100) + "f\x00g\n" + strings.Repeat("\tx\n", 9) + "\tz\n"},
		"fffe heading":    {git.ModeBlob, "f\xef\xbf\xbeg\n" + strings.Repeat("\tx\n", 9) + "\tz\n"},
	}
	return old, new
}

func TestEveryKindOfChange(t *testing.T) {
	for _, format := range []git.Format{git.SHA1, git.SHA256} {
		old, new := special(format)
		o := newOracle(t, format)
		ids := o.store(old, new, files{})
		m := o.objects()
		for _, pair := range [][2]git.ID{{ids[0], ids[1]}, {ids[1], ids[0]}, {ids[2], ids[0]}, {ids[1], ids[2]}} {
			for _, renames := range []struct {
				arg     string
				options *diff.RenameOptions
			}{{"--no-renames", nil}, {"-M", &diff.RenameOptions{}}} {
				name := fmt.Sprintf("%s %s", format, renames.arg)
				changes, _, err := diff.Changes(t.Context(), m, format, pair[0], pair[1], diff.ChangesOptions{Renames: renames.options})
				if err != nil {
					t.Fatal(err)
				}
				args := []string{renames.arg, format.Hex(pair[0]), format.Hex(pair[1])}
				equal(t, name, raw(format, changes), o.run("", append([]string{"diff-tree", "-r", "--no-abbrev"}, args...)...))
				equal(t, name, patch(t, m, format, changes, diff.Options{Context: 3}), o.run("", append([]string{"diff-tree", "-p", "--full-index"}, args...)...))
				equal(t, name, numstat(t, m, format, changes, diff.Options{Context: 3}), o.run("", append([]string{"diff-tree", "-r", "--numstat", "-z"}, args...)...))
			}
		}
	}
}

func TestZeroIsTheEmptyTree(t *testing.T) {
	o := newOracle(t, git.SHA1)
	ids := o.store(files{}, files{"a/b": {git.ModeBlob, "b\n"}})
	m := o.objects()
	want, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1], diff.ChangesOptions{})
	if err != nil || len(want) != 1 {
		t.Fatal(want, err)
	}
	got, _, err := diff.Changes(t.Context(), m, o.format, git.ID{}, ids[1], diff.ChangesOptions{})
	if err != nil || raw(o.format, got) != raw(o.format, want) {
		t.Errorf("got %s, %v; want %s", raw(o.format, got), err, raw(o.format, want))
	}
}

func TestPaths(t *testing.T) {
	old, new := special(git.SHA1)
	o := newOracle(t, git.SHA1)
	ids := o.store(old, new)
	m := o.objects()
	for _, paths := range [][]string{
		{"a"}, {"a/"}, {"a/b"}, {"a/b/c/d/e"}, {"a/b/c/d/e/"}, {"dir"}, {"dir/"}, {"dir2"}, {"dir2/"}, {"dir/file", "a/b.c"},
		{"nowhere"}, {"nowhere/below"}, {"chang"}, {"changed", "mode"}, {"a/b", "a/b/c"}, {"ünïcode"},
	} {
		changes, _, err := diff.Changes(t.Context(), m, o.format, ids[0], ids[1],
			diff.ChangesOptions{TreeOptions: diff.TreeOptions{Paths: paths}})
		if err != nil {
			t.Fatal(err)
		}
		args := append([]string{"--literal-pathspecs", "diff-tree", "-r", "--no-abbrev", "--no-renames", ids[0].String(), ids[1].String(), "--"}, paths...)
		equal(t, fmt.Sprintf("%q", paths), raw(o.format, changes), o.run("", args...))
	}
}

// TestUnchanged asks for everything.
func TestUnchanged(t *testing.T) {
	o := newOracle(t, git.SHA1)
	ids := o.store(files{"a/same": {git.ModeBlob, "s"}, "b": {git.ModeBlob, "1"}}, files{"a/same": {git.ModeBlob, "s"}, "b": {git.ModeBlob, "2"}})
	var got []string
	for c, err := range diff.Trees(t.Context(), o.objects(), o.format, ids[0], ids[1], diff.TreeOptions{Unchanged: true}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Status.String()+" "+c.Path())
	}
	if want := "unchanged a/same, M b"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEarlyEnd leaves a walk after the first change: no more trees are read.
func TestEarlyEnd(t *testing.T) {
	o := newOracle(t, git.SHA1)
	old, new := files{}, files{}
	for i := range 20 {
		old.blob(fmt.Sprintf("d%02d/f", i), "old")
		new.blob(fmt.Sprintf("d%02d/f", i), "new")
	}
	ids := o.store(old, new)
	counted := &counting{Memory: o.objects()}
	for _, err := range diff.Trees(t.Context(), counted, o.format, ids[0], ids[1], diff.TreeOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if counted.reads != 4 {
		t.Errorf("%d objects read, want 4", counted.reads)
	}
}

type counting struct {
	git.Memory
	reads int
}

func (c *counting) Object(ctx context.Context, id git.ID) (git.Kind, []byte, error) {
	c.reads++
	return c.Memory.Object(ctx, id)
}

func TestTreeLimits(t *testing.T) {
	m := git.Memory{}
	h := git.NewHasher(git.SHA1)
	put := func(kind git.Kind, data []byte) git.ID {
		id, err := h.Hash(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		x := m[id]
		x.Kind, x.Data = kind, data
		m[id] = x
		return id
	}
	tree := func(entries ...git.Entry) git.ID {
		return put(git.KindTree, git.AppendTree(git.SHA1, nil, entries))
	}
	// A tree of 2^40 files, and one of 2^40 directories without any.
	bomb, hollow := tree(git.Entry{Mode: git.ModeBlob, Name: "x", ID: put(git.KindBlob, nil)}), tree()
	deep := bomb
	for range 40 {
		bomb = tree(git.Entry{Mode: git.ModeTree, Name: "a", ID: bomb}, git.Entry{Mode: git.ModeTree, Name: "b", ID: bomb})
		hollow = tree(git.Entry{Mode: git.ModeTree, Name: "a", ID: hollow}, git.Entry{Mode: git.ModeTree, Name: "b", ID: hollow})
	}
	for range 5000 {
		deep = tree(git.Entry{Mode: git.ModeTree, Name: "d", ID: deep})
	}
	for _, test := range []struct {
		limit   string
		tree    git.ID
		options diff.ChangesOptions
	}{
		{"changes", bomb, diff.ChangesOptions{Max: 1000}},
		{"trees", hollow, diff.ChangesOptions{TreeOptions: diff.TreeOptions{MaxTrees: 1000}}},
		{"path length", deep, diff.ChangesOptions{}},
	} {
		_, _, err := diff.Changes(t.Context(), m, git.SHA1, git.ID{}, test.tree, test.options)
		var limit *diff.LimitError
		if !errors.As(err, &limit) || limit.Limit != test.limit {
			t.Errorf("limit of %s: got %v", test.limit, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := diff.Changes(ctx, m, git.SHA1, git.ID{}, bomb, diff.ChangesOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	corrupt := put(git.KindTree, []byte("100644 a"))
	blob := put(git.KindBlob, []byte("x"))
	for _, id := range []git.ID{corrupt, blob, tree(git.Entry{Mode: git.ModeTree, Name: "a", ID: blob})} {
		if _, _, err := diff.Changes(t.Context(), m, git.SHA1, git.ID{}, id, diff.ChangesOptions{}); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("damaged tree: got %v", err)
		}
	}
	if _, _, err := diff.Changes(t.Context(), m, git.SHA1, git.ID{}, git.ID{1}, diff.ChangesOptions{}); !errors.Is(err, git.ErrNotFound) {
		t.Errorf("missing tree: got %v", err)
	}
}

// TestRandomTrees compares trees whose directories share names with files.
func TestRandomTrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	o := newOracle(t, git.SHA1)
	var trees []files
	for range 24 {
		fs := files{}
		for range rng.IntN(60) {
			var path []string
			for range 1 + rng.IntN(3) {
				path = append(path, []string{"a", "a-", "a.", "a0", "b"}[rng.IntN(5)])
			}
			fs[strings.Join(path, "/")] = file{[]git.Mode{git.ModeBlob, git.ModeExecutable, git.ModeSymlink}[rng.IntN(3)], fmt.Sprint(rng.IntN(3))}
		}
		for path := range fs { // a file must not be a directory, too
			for other := range fs {
				if strings.HasPrefix(other, path+"/") {
					delete(fs, path)
				}
			}
		}
		trees = append(trees, fs)
	}
	ids := o.store(trees...)
	m := o.objects()
	var in, got strings.Builder
	for i := range ids[1:] {
		fmt.Fprintf(&in, "%s %s\n", ids[i], ids[i+1])
		changes, _, err := diff.Changes(t.Context(), m, o.format, ids[i], ids[i+1], diff.ChangesOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s %s\n%s", ids[i], ids[i+1], raw(o.format, changes))
	}
	equal(t, "random trees", got.String(), o.run(in.String(), "diff-tree", "--stdin", "-r", "--no-abbrev", "--no-renames"))
}
