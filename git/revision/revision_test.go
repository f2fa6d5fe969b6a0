package revision_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/ancestry"
	"github.com/ingot-forge/ingot/git/gittest"
	"github.com/ingot-forge/ingot/git/revision"
)

// names are those of a repository of stock git.
type names struct {
	ids  []string // sorted
	refs map[string]git.ID
	head string
	logs map[string][]revision.Movement // newest first
	r    *gittest.Repository
}

func (n *names) Ref(_ context.Context, name string) (git.ID, string, bool, error) {
	if name == "HEAD" {
		name = n.head
	}
	id, ok := n.refs[name]
	return id, name, ok, nil
}

func (n *names) Refs(context.Context) iter.Seq2[revision.Ref, error] {
	return func(yield func(revision.Ref, error) bool) {
		for _, line := range strings.Split(strings.TrimSpace(n.list()), "\n") {
			if !yield(revision.Ref{Name: line, ID: n.refs[line]}, nil) {
				return
			}
		}
	}
}

func (n *names) list() string {
	var all []string
	for name := range n.refs {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func (n *names) Prefix(_ context.Context, digits string) (ids []git.ID, err error) {
	at, _ := slices.BinarySearch(n.ids, digits)
	for ; at < len(n.ids) && strings.HasPrefix(n.ids[at], digits); at++ {
		id, err := n.r.Format.Parse(n.ids[at])
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (n *names) Log(_ context.Context, ref string) (iter.Seq2[revision.Movement, error], bool) {
	log, ok := n.logs[ref]
	return func(yield func(revision.Movement, error) bool) {
		for _, m := range log {
			if !yield(m, nil) {
				return
			}
		}
	}, ok
}

func (n *names) Upstream(_ context.Context, branch string) (string, error) {
	if branch == "refs/heads/b0" {
		return "refs/heads/b1", nil
	}
	return "", nil
}

// now is when the tests run.
var now = time.Unix(1_700_000_000, 0).UTC()

// newResolver makes a repository, with logs and an upstream, and a resolver of its names.
func newResolver(t *testing.T, h gittest.History) (*gittest.Repository, *names, *revision.Resolver) {
	t.Helper()
	r := gittest.New(t, h.Format, gittest.Random(h))
	n := &names{refs: map[string]git.ID{}, head: "refs/heads/b0", logs: map[string][]revision.Movement{}, r: r}
	r.Stock(t, nil, "symbolic-ref", "HEAD", n.head)
	r.Stock(t, nil, "config", "branch.b0.remote", ".")
	r.Stock(t, nil, "config", "branch.b0.merge", "refs/heads/b1")
	r.Stock(t, nil, "update-ref", "refs/tags/b2", "b1")        // names that are two things
	r.Stock(t, nil, "update-ref", "refs/remotes/o/main", "b2") // and some of other places
	r.Stock(t, nil, "update-ref", "refs/remotes/o/HEAD", "b3")
	r.Stock(t, nil, "update-ref", "refs/notes/x", "b3")
	r.Stock(t, nil, "tag", "tree", "b0^{tree}")
	r.Stock(t, nil, "tag", "-a", "-m", "a tag", "annotated", "b1")
	r.Stock(t, nil, "tag", "-a", "-m", "a tag", "nested", "annotated")
	r.Load(t)
	for _, line := range r.Lines(t, "for-each-ref", "--format=%(objectname) %(refname)") {
		id, name, _ := strings.Cut(line, " ")
		n.refs[name] = r.Parse(t, id)
	}
	for id := range r.Objects {
		n.ids = append(n.ids, r.Format.Hex(id))
	}
	slices.Sort(n.ids)
	for _, ref := range []string{"HEAD", "refs/heads/b0", "refs/heads/b2"} {
		writeLog(t, r, n, ref)
	}
	return r, n, &revision.Resolver{Commits: ancestry.New(r.Objects, r.Format, nil), Names: n, Now: func() time.Time { return now }}
}

// writeLog gives a ref a log.
func writeLog(t *testing.T, r *gittest.Repository, n *names, ref string) {
	t.Helper()
	tip := n.refs[ref]
	if ref == "HEAD" {
		tip = n.refs[n.head]
	}
	commits := r.Lines(t, "rev-list", "-n", "6", r.Format.Hex(tip))
	slices.Reverse(commits)
	var old git.ID
	var text strings.Builder
	for i, hex := range commits {
		m := revision.Movement{Old: old, New: r.Parse(t, hex), Seconds: now.Unix() - int64(len(commits)-i)*86400}
		fmt.Fprintf(&text, "%s %s C <c@example.com> %d +0000\tcommit\n", r.Format.Hex(m.Old), hex, m.Seconds)
		n.logs[ref] = append([]revision.Movement{m}, n.logs[ref]...)
		old = m.New
	}
	file := filepath.Join(r.Dir, "logs", ref)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

// expressions makes n random expressions.
func expressions(t *testing.T, r *gittest.Repository, n *names, random *rand.Rand, count int) (all []string) {
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	refs := strings.Split(n.list(), "\n")
	paths := r.Lines(t, "-c", "core.quotePath=false", "ls-tree", "-r", "-t", "--name-only", "b0")
	paths = append(paths, "", "none", "src/", "src/none", "/", "src//x", "vendor/", "./x", "../x")
	for len(all) < count {
		var e string
		switch random.IntN(8) {
		case 0, 1:
			ref := pick(refs)
			parts := strings.SplitN(ref, "/", 3)
			e = []string{ref, parts[1] + "/" + parts[2], parts[2]}[random.IntN(3)]
		case 2:
			e = pick([]string{"HEAD", "@", "none", "b0@{u}", "@{upstream}", "b1@{u}", "HEAD@{U}", "o", "o/main", "heads", "x..y", ".", "b0/", ""})
		case 3, 4:
			e = pick(n.ids)[:4+random.IntN(8)*random.IntN(6)]
			if random.IntN(10) == 0 {
				e = strings.ToUpper(e)
			}
		case 5:
			e = pick([]string{"v1-3-g", "-g", "x-g", "no tag-1-g"}) + pick(n.ids)[:random.IntN(9)]
		case 6:
			e = pick([]string{"b0", "b2", "", "HEAD", "refs/heads/b0", "b1", "@", "b0@{u}"}) + "@{" + pick([]string{"0", "1", "2", "5", "6", "7",
				"1699800000", "1699900001", "1500000000", "2023-11-12 00:00:00 +0000", "2023-11-14T23:00:00Z", "x y z", "-1", "@1699800000", ""}) + "}"
		default:
			e = pick(refs)
		}
		for random.IntN(2) == 0 {
			e += pick([]string{"^", "^0", "^1", "^2", "^3", "~", "~0", "~1", "~2", "~5", "~99", "~99999999999", "^{commit}", "^{tree}", "^{tag}", "^{blob}",
				"^{object}", "^{}", "^{/change 1}", "^{/README.*\n}", "^{/!-Makefile}", "^{/!!x}", "^{/!x}", "^{/}", "^{/(}", "^{/[[:digit:]]7$}", "^{none}", "{", "^x"})
		}
		switch random.IntN(6) {
		case 0:
			e += ":" + pick(paths)
		case 1:
			if random.IntN(10) == 0 {
				e = ":/" + pick([]string{"change 2", "^util", "!-x", "number 3\\.", "nowhere", "", "a|b", "!!", "README: change 1.$"})
			}
		}
		if !strings.ContainsAny(e, "\n") {
			all = append(all, e)
		}
	}
	return all
}

func TestResolve(t *testing.T) {
	ambiguous := 0
	for name, h := range map[string]gittest.History{"plain": {Seed: 31, Commits: 120}, "ties": {Seed: 32, Commits: 60, Ties: true},
		"sha256": {Seed: 37, Commits: 120, Format: git.SHA256}} {
		t.Run(name, func(t *testing.T) {
			r, n, resolver := newResolver(t, h)
			all := expressions(t, r, n, rand.New(rand.NewPCG(1, 2)), 3000)
			// A place in a log that is not there ends git, and so does a relative path: each of those is
			// asked for alone.
			var batch []string
			want := map[string]string{}
			for _, e := range all {
				if !strings.Contains(e, "@{") && !strings.Contains(e, ":.") {
					batch = append(batch, e)
					continue
				}
				if _, ok := want[e]; !ok && len(want) < 150 {
					want[e] = "missing"
					if out, _, err := r.Try(nil, "rev-parse", "--verify", e); err == nil {
						want[e] = strings.TrimSpace(out)
					}
				}
			}
			out := r.Stock(t, strings.NewReader(strings.Join(batch, "\n")+"\n"), "cat-file", "--batch-check=%(objectname)")
			for i, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
				want[batch[i]] = strings.TrimPrefix(line, batch[i]+" ")
			}
			resolved := 0
			for e, want := range want {
				found, err := resolver.Resolve(context.Background(), e, revision.Any)
				var several *revision.AmbiguousError
				got := r.Format.Hex(found.ID)
				switch {
				case errors.As(err, &several):
					got = "ambiguous"
					ambiguous++
				case errors.Is(err, git.ErrNotFound), errors.Is(err, revision.ErrSyntax), errors.Is(err, revision.ErrKind):
					got = "missing"
				case err != nil:
					got = err.Error()
				default:
					resolved++
				}
				// Git says that only of an id alone. And of a submodule's commit it says that it is
				// missing, which it is.
				if want == "missing" && (got == "ambiguous" || err == nil && r.Objects[found.ID].Kind == 0) {
					continue
				}
				// Where a suffix is wrong, git takes all from the first brace to the last for a date, and
				// any text for one.
				if got == "missing" && strings.Contains(e, "@{") && strings.Contains(e, "^{") {
					continue
				}
				if got != want {
					t.Errorf("%q is %s, want %s (%v)", e, got, want, err)
				}
			}
			if resolved < 500 {
				t.Errorf("of %d, %d were resolved", len(want), resolved)
			}
		})
	}
	if ambiguous == 0 {
		t.Error("no id was ambiguous")
	}
}

func TestRange(t *testing.T) {
	r, n, resolver := newResolver(t, gittest.History{Seed: 33, Commits: 100})
	random := rand.New(rand.NewPCG(1, 3))
	commits := r.Lines(t, "rev-list", "--all")
	pick := func() string {
		return []string{"b0", "b1", "b2^", "b3~2", "HEAD", "@{1}", "o/main", commits[random.IntN(len(commits))][:7], ""}[random.IntN(9)]
	}
	good := 0
	for range 150 {
		e := []string{pick() + ".." + pick(), pick() + "..." + pick(), pick() + "^@", pick() + "^!", pick() + "^-", pick() + "^-2",
			"^" + pick(), pick(), pick() + "^-0", pick() + "^-9", "none.." + pick()}[random.IntN(11)]
		out, _, err := r.Try(nil, "rev-parse", "--revs-only", e)
		set, gotErr := resolver.Range(context.Background(), e)
		got := ""
		for _, item := range set.Items {
			got += map[bool]string{true: "^"}[item.Not] + r.Format.Hex(item.ID) + "\n"
		}
		if err != nil {
			out = ""
		}
		if got != out {
			t.Errorf("%q is\n%swant\n%s%v", e, got, out, gotErr)
		}
		if (gotErr == nil) == (out == "") && !strings.HasSuffix(e, "^@") && e != "" {
			t.Errorf("%q: %v, git says %q", e, gotErr, out)
		}
		if len(set.Items) > 1 {
			good++
		}
	}
	if good < 40 {
		t.Errorf("only %d sets", good)
	}
	set, err := resolver.Range(context.Background(), "b0...b1")
	if err != nil {
		t.Fatal(err)
	}
	tips, not, left, err := resolver.Walk(context.Background(), set)
	if err != nil || len(tips) != 2 || len(not) == 0 || len(left) != 1 || left[0] != n.refs["refs/heads/b0"] {
		t.Errorf("tips %v, not %v, left %v, %v", tips, not, left, err)
	}
}

func TestWant(t *testing.T) {
	r, n, resolver := newResolver(t, gittest.History{Seed: 34, Commits: 150})
	ctx := context.Background()
	wants := map[string]func(string) (git.ID, error){
		"^{commit}": func(e string) (git.ID, error) { return resolver.ResolveCommit(ctx, e) },
		"^{tree}":   func(e string) (git.ID, error) { return resolver.ResolveTree(ctx, e) },
	}
	hints := 0
	for i, id := range n.ids[1:] {
		if id[:4] != n.ids[i][:4] {
			continue
		}
		for suffix, resolve := range wants {
			want := r.Stock(t, strings.NewReader(id[:4]+suffix+"\n"), "cat-file", "--batch-check=%(objectname)")
			got, err := resolve(id[:4])
			switch {
			case strings.HasSuffix(want, "missing\n"):
				if err == nil {
					t.Errorf("%s%s is %s, which git does not find", id[:4], suffix, got)
				}
			case strings.TrimSpace(want) != r.Format.Hex(got):
				t.Errorf("%s%s is %s (%v), want %s", id[:4], suffix, got, err, want)
			default:
				hints++
			}
		}
	}
	if hints == 0 {
		t.Error("no id was told by its kind")
	}
}

func TestErrors(t *testing.T) {
	_, _, resolver := newResolver(t, gittest.History{Seed: 35, Commits: 20})
	for e, want := range map[string]string{
		"none":                      `revision "none": object not found: there is no ref or object "none"`,
		"HEAD~9999":                 "before 9999",
		"HEAD^9":                    "parents, not 9",
		"HEAD:none/where":           `path "none/where" does not exist in "HEAD"`,
		"HEAD^{blob}":               "where a blob is needed",
		"HEAD^{file}":               `there is no kind of object "file"`,
		":index":                    "no index",
		"HEAD:./x":                  "no working tree",
		"@{-1}":                     "nothing is checked out",
		"b1@{1}":                    `no log of a ref "b1"`,
		"b0@{99}":                   "entries",
		"b0@{whenever}":             `"whenever" is no date`,
		"b1@{u}":                    "follows no other branch",
		"b0^{/(}":                   "missing closing )",
		"a\x00b":                    "NUL",
		strings.Repeat("b^", 10000): "longer than",
		"abc":                       "4 to 40 digits",
	} {
		if _, err := resolver.Resolve(context.Background(), e, revision.Any); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", e, err, want)
		}
	}
	resolver.MaxSearch = 3
	if _, err := resolver.Resolve(context.Background(), ":/nowhere", revision.Any); err == nil || !strings.Contains(err.Error(), "none of 3 commits") {
		t.Errorf("a search of three commits: %v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := resolver.Resolve(cancelled, ":/nowhere", revision.Any); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestDates(t *testing.T) {
	_, n, resolver := newResolver(t, gittest.History{Seed: 36, Commits: 40})
	log := n.logs["refs/heads/b0"] // one movement a day, the last one yesterday
	for e, want := range map[string]int{"now": 0, "yesterday": 0, "2 days ago": 1, "2.days.ago": 1, "1 day 24 hours ago": 1,
		"86400 seconds ago": 0, "3 days 1 minute ago": 3, "1.year.ago": len(log) - 1, "2 months ago": len(log) - 1, "2023-11-12": 1} {
		got, err := resolver.Resolve(context.Background(), "b0@{"+e+"}", revision.Any)
		if err != nil || got.ID != log[want].New {
			t.Errorf("%s is %s (%v), want %s", e, got.ID, err, log[want].New)
		}
	}
}
