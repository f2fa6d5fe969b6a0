package commitgraph_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/commitgraph"
)

var formats = []git.Format{git.SHA1, git.SHA256}

// build builds a layer.
func (r *repository) build(t testing.TB, below *commitgraph.Graph, tips []git.ID, copied ...*commitgraph.Graph) []byte {
	t.Helper()
	data, err := commitgraph.Build(context.Background(), r.objects, r.format, below, tips, commitgraph.BuildOptions{Copied: copied})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r *repository) open(t testing.TB, layers ...[]byte) *commitgraph.Graph {
	t.Helper()
	g, err := commitgraph.Open(r.format, layers)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFirstLayerIsGits(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			r := varied(t, f)
			if got, want := r.build(t, nil, r.tips), r.stockGraph(t); !bytes.Equal(got, want) {
				n := 0
				for n < min(len(got), len(want)) && got[n] == want[n] {
					n++
				}
				t.Errorf("%d bytes, git has %d; they differ from %d on", len(got), len(want), n)
			}
		})
	}
}

// layers builds a chain of three.
func (r *repository) layers(t testing.TB) [][]byte {
	t.Helper()
	first := r.build(t, nil, []git.ID{r.id(t, "main~60")})
	second := r.build(t, r.open(t, first), []git.ID{r.id(t, "side2")})
	third := r.build(t, r.open(t, first, second), r.tips)
	return [][]byte{first, second, third}
}

// install puts a chain where git looks for it.
func (r *repository) install(t testing.TB, layers ...[]byte) {
	t.Helper()
	dir := filepath.Join(r.dir, "objects/info/commit-graphs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var chain strings.Builder
	for _, data := range layers {
		name := fmt.Sprintf("%x", commitgraph.Checksum(r.format, data))
		chain.WriteString(name + "\n")
		if err := os.WriteFile(filepath.Join(dir, "graph-"+name+".graph"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "commit-graph-chain"), []byte(chain.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestGitUsesChain(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			r := varied(t, f)
			r.install(t, r.layers(t)...)
			r.stock(t, nil, "commit-graph", "verify", "--no-progress")
			for _, path := range []string{"README", "src/deep", "src/dir3/file4.c", "日本語", "many/512", "side", "absent"} {
				log := []string{"log", "--format=%H %P %T %ct", "main", "--", path}
				want := r.stock(t, nil, append([]string{"-c", "core.commitGraph=false"}, log...)...)
				trace := filepath.Join(t.TempDir(), "trace")
				got := r.stockWith(t, []string{"GIT_TRACE2_PERF=" + trace}, nil, log...)
				if !bytes.Equal(got, want) {
					t.Errorf("%s: git log differs with the graph:\n%s\nwithout:\n%s", path, got, want)
				}
				maybe, no := bloomStatistics(t, trace)
				if found := bytes.Count(want, []byte{'\n'}); maybe < found || maybe > found+25 || no < 100 {
					t.Errorf("%s: git asked %d filters in vain and %d not, for %d commits", path, no, maybe, found)
				}
			}
		})
	}
}

// bloomStatistics returns how many filters said maybe and how many no, as git traced
// them, all of which must have been there.
func bloomStatistics(t testing.TB, file string) (maybe, no int) {
	t.Helper()
	trace, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`"filter_not_present":(\d+),"maybe":(\d+),"definitely_not":(\d+)`).FindSubmatch(trace)
	if m == nil {
		t.Fatalf("git used no filters:\n%s", trace)
	}
	if string(m[1]) != "0" {
		t.Errorf("git missed %s filters", m[1])
	}
	maybe, _ = strconv.Atoi(string(m[2]))
	no, _ = strconv.Atoi(string(m[3]))
	return maybe, no
}

// TestGitBuildsOnTop lets git put a layer on ours, and opens the chain of both.
func TestGitBuildsOnTop(t *testing.T) {
	r := varied(t, git.SHA1)
	first := r.build(t, nil, []git.ID{r.id(t, "main~20")})
	r.install(t, first)
	r.stock(t, nil, "commit-graph", "write", "--reachable", "--changed-paths", "--split=no-merge", "--no-progress")
	dir := filepath.Join(r.dir, "objects/info/commit-graphs")
	chain, err := os.ReadFile(filepath.Join(dir, "commit-graph-chain"))
	if err != nil {
		t.Fatal(err)
	}
	var layers [][]byte
	for _, name := range strings.Fields(string(chain)) {
		data, err := os.ReadFile(filepath.Join(dir, "graph-"+name+".graph"))
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, data)
	}
	if len(layers) != 2 || !bytes.Equal(layers[0], first) {
		t.Fatalf("git made a chain of %d", len(layers))
	}
	checkGraph(t, r, r.open(t, layers...))
	if ours := r.build(t, r.open(t, first), r.tips); !bytes.Equal(ours, layers[1]) {
		t.Error("the second layer is not what git writes")
	}
}

func TestLookups(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			r := varied(t, f)
			layers := r.layers(t)
			checkGraph(t, r, r.open(t, layers...))
			checkGraph(t, r, r.open(t, r.build(t, nil, r.tips)))
		})
	}
}

// checkGraph compares all that a graph says with git.
func checkGraph(t *testing.T, r *repository, g *commitgraph.Graph) {
	t.Helper()
	if err := g.Verify(); err != nil {
		t.Error(err)
	}
	lines := strings.Split(strings.TrimSpace(string(r.stock(t, nil, "log", "--all", "--format=%H %T %ct %P"))), "\n")
	if len(lines) != g.Len() {
		t.Errorf("%d commits, git has %d", g.Len(), len(lines))
	}
	for _, line := range lines {
		fields := strings.Fields(line)
		id := r.parse(t, fields[0])
		position, ok := g.Find(id)
		if !ok {
			t.Fatalf("%s is not found", id)
		}
		parents, err := g.AppendParents(nil, position)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{r.format.Hex(g.ID(position)), r.format.Hex(g.Tree(position)), fmt.Sprint(g.Seconds(position))}
		for _, p := range parents {
			got = append(got, r.format.Hex(g.ID(p)))
		}
		if !slices.Equal(got, fields) {
			t.Errorf("the graph has\n%s, git\n%s", got, fields)
		}
	}
	for _, absent := range []git.ID{{}, {1}, {0xff, 0xff}} {
		if _, ok := g.Find(absent); ok {
			t.Errorf("Find(%s): there is none", absent)
		}
	}
	checkFilters(t, r, g)
}

// checkFilters compares filters with the paths that git says a commit changed.
func checkFilters(t *testing.T, r *repository, g *commitgraph.Graph) {
	t.Helper()
	all := map[string]bool{"absent": true, "src/absent": true}
	changed := map[git.ID]map[string]bool{}
	out := r.stock(t, nil, "log", "--all", "--diff-merges=first-parent", "--name-only", "--no-renames", "--root", "--format=%x01%H", "-z")
	for commit := range strings.SplitSeq(strings.TrimPrefix(string(out), "\x01"), "\x01") {
		lines := strings.Split(commit, "\x00")
		paths := map[string]bool{}
		for _, path := range lines[1:] {
			for path = strings.TrimPrefix(path, "\n"); path != "" && path != "."; path = filepath.Dir(path) {
				paths[path], all[path] = true, true
			}
		}
		changed[r.parse(t, lines[0])] = paths
	}
	falls, asked := 0, 0
	for path := range all {
		p := commitgraph.NewPath(path)
		for position := range uint32(g.Len()) {
			paths := changed[g.ID(position)]
			may := g.MayChange(position, p)
			switch {
			case paths[path] && !may:
				t.Fatalf("commit %s changed %q, its filter says no", g.ID(position), path)
			case len(paths) == 0 && may:
				t.Fatalf("commit %s changed nothing, its filter says yes to %q", g.ID(position), path)
			case len(paths) <= 512 && !paths[path]:
				asked++
				if may {
					falls++
				}
			}
		}
	}
	if asked < 10_000 || falls > asked/50 {
		t.Errorf("filters said yes in vain %d times of %d", falls, asked)
	}
	if !g.MayChange(0, commitgraph.NewPath("")) {
		t.Error("a filter says no to the root")
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	r := varied(t, git.SHA1)
	g := r.open(t, r.layers(t)...)
	id := r.id(t, "main~10")
	path := commitgraph.NewPath("src/deep/er/file.c")
	parents := make([]uint32, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		position, _ := g.Find(id)
		g.ID(position)
		g.Tree(position)
		g.Seconds(position)
		g.Generation(position)
		g.MayChange(position, path)
		for p := range uint32(g.Len()) {
			parents, _ = g.AppendParents(parents[:0], p)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestGenerations checks them beyond what git could: by the definition.
func TestGenerations(t *testing.T) {
	r := varied(t, git.SHA1)
	g := r.open(t, r.layers(t)...)
	overflows := 0
	for position := range uint32(g.Len()) {
		parents, err := g.AppendParents(nil, position)
		if err != nil {
			t.Fatal(err)
		}
		level, date := uint32(1), uint64(g.Seconds(position))
		for _, p := range parents {
			level, date = max(level, g.Level(p)+1), max(date, g.Generation(p)+1)
		}
		date = max(date, 1)
		if g.Level(position) != level || g.Generation(position) != date {
			t.Errorf("commit %s: level %d, generation %d, want %d, %d", g.ID(position), g.Level(position), g.Generation(position), level, date)
		}
		if date-uint64(g.Seconds(position)) >= 1<<31 {
			overflows++
		}
	}
	if overflows < 3 {
		t.Errorf("%d overflows: the fixture tries nothing", overflows)
	}
}

func TestOpenRefuses(t *testing.T) {
	r := varied(t, git.SHA1)
	layers := r.layers(t)
	change := func(data []byte, at int, b ...byte) []byte {
		data = bytes.Clone(data)
		copy(data[at:], b)
		return data
	}
	top := layers[2]
	chunk := func(i int) int { return int(binary.BigEndian.Uint64(top[8+12*i+4:])) }
	for name, chain := range map[string][][]byte{
		"nothing":           {},
		"no bytes":          {{}},
		"a layer missing":   {layers[0], top},
		"layers exchanged":  {layers[1], layers[0], top},
		"a layer twice":     {layers[0], layers[0]},
		"signature":         {change(layers[0], 0, 'X')},
		"version":           {change(layers[0], 4, 2)},
		"hash":              {change(layers[0], 5, 2)},
		"more chunks":       {change(layers[0], 6, 255)},
		"no chunks":         {change(layers[0], 6, 0)},
		"layers below":      {change(layers[0], 7, 1)},
		"a chunk's end":     {layers[0], layers[1], change(top, 8+12+4, 0xff)},
		"a chunk's name":    {layers[0], layers[1], change(top, 8, 'X')},
		"a chunk twice":     {layers[0], layers[1], change(top, 8+12, 'O', 'I', 'D', 'F')},
		"fan-out":           {layers[0], layers[1], change(top, chunk(0), 0xff)},
		"fan-out's end":     {layers[0], layers[1], change(top, chunk(0)+255*4, 0x70)},
		"below's name":      {layers[0], layers[1], change(top, len(top)-25, ^top[len(top)-25])},
		"a byte less":       {layers[0][:len(layers[0])-1]},
		"filters' end":      {layers[0], layers[1], change(top, chunk(7)-4, 0xff)},
		"another's trailer": {change(layers[0], len(layers[0])-1, ^layers[0][len(layers[0])-1]), layers[1]},
	} {
		if _, err := commitgraph.Open(r.format, chain); !errors.Is(err, git.ErrCorrupt) {
			t.Errorf("%s: %v, want git.ErrCorrupt", name, err)
		}
	}
	if _, err := commitgraph.Open(git.SHA256, layers); !errors.Is(err, git.ErrCorrupt) {
		t.Errorf("as SHA-256: %v, want git.ErrCorrupt", err)
	}
}

// use calls everything; what is damaged may not panic or run on.
func use(g *commitgraph.Graph) {
	paths := []*commitgraph.Path{commitgraph.NewPath("src/dir3/file4.c"), commitgraph.NewPath("")}
	var parents []uint32
	for position := range uint32(g.Len()) {
		if at, ok := g.Find(g.ID(position)); ok {
			g.Tree(at)
		}
		g.Seconds(position)
		g.Level(position)
		g.Generation(position)
		for _, p := range paths {
			g.MayChange(position, p)
		}
		parents, _ = g.AppendParents(parents[:0], position)
		for _, p := range parents {
			g.ID(p)
		}
	}
}

func TestDamage(t *testing.T) {
	r := varied(t, git.SHA1)
	layers := r.layers(t)
	opened := 0
	for i := 0; i < len(layers[2]); i += 3 {
		damaged := bytes.Clone(layers[2])
		damaged[i] ^= 0x81
		g, err := commitgraph.Open(r.format, [][]byte{layers[0], layers[1], damaged})
		if err == nil {
			opened++
			if i%11 == 0 {
				use(g)
			}
			err = g.Verify()
		}
		if !errors.Is(err, git.ErrCorrupt) {
			t.Fatalf("byte %d: %v, want git.ErrCorrupt", i, err)
		}
	}
	if opened < 100 {
		t.Errorf("only %d damaged layers were opened", opened)
	}
}

func FuzzOpen(f *testing.F) {
	// A few commits are enough, with every chunk among them: large inputs are fuzzed slowly.
	m := newMemory()
	tree := m.tree(f, git.Entry{Mode: git.ModeBlob, Name: "a", ID: git.ID{1}})
	late := m.commit(f, tree, 1<<33)
	tips := []git.ID{m.commit(f, tree, 5, late), m.commit(f, tree, 6), m.commit(f, tree, 7)}
	first := m.layer(f, nil, tips...)
	below, err := commitgraph.Open(git.SHA1, [][]byte{first})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first, m.layer(f, below, m.commit(f, tree, 8, tips...)))
	f.Add(first, m.layer(f, below, m.commit(f, tree, 9, tips[1])))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, chain := range [][][]byte{{first}, {first, second}} {
			g, err := commitgraph.Open(git.SHA1, chain)
			if err != nil {
				if !errors.Is(err, git.ErrCorrupt) {
					t.Fatal(err)
				}
				continue
			}
			use(g)
			if err := g.Verify(); err != nil && !errors.Is(err, git.ErrCorrupt) {
				t.Fatal(err)
			}
		}
	})
}
