package fsck_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
)

// TestTreesLikeGit compares every finding of every tree with git fsck --strict.
func TestTreesLikeGit(t *testing.T) {
	trees := slices.Concat(namedTrees(), oddTrees(), randomTrees(rand.New(rand.NewPCG(1, 2)), 1000))
	o := newOracle(t)
	for _, tree := range trees {
		o.writeLoose(tree)
	}
	want, _ := o.findings()
	for _, tree := range trees {
		// Some tree calls another .gitmodules; that is another case.
		want := slices.DeleteFunc(want[idOf(tree)], func(m string) bool { return strings.HasSuffix(m, "Blob") })
		sameFindings(t, tree, check(t, tree)[idOf(tree)], want)
	}
}

// TestCommitsAndTagsLikeGit does likewise. Where git cannot parse the object
// at all it names no message, and only the verdict is compared.
func TestCommitsAndTagsLikeGit(t *testing.T) {
	objects := slices.Concat(commits(), tags())
	r := rand.New(rand.NewPCG(3, 4))
	for _, base := range []object{commits()[0], tags()[0]} {
		for range 300 {
			objects = append(objects, object{base.kind, mutate(r, base.data)})
		}
	}
	o := newOracle(t)
	for _, obj := range objects {
		o.writeLoose(obj)
	}
	want, unparsed := o.findings()
	for _, obj := range objects {
		id := idOf(obj)
		got := check(t, obj)[id]
		if unparsed[id] {
			if !refusing(got) {
				t.Errorf("git cannot parse this %s, but it passes:\n%q", obj.kind, obj.data)
			}
			continue
		}
		sameFindings(t, obj, got, want[id])
	}
}

// datesDiffer are messages for which git 2.39 reads white space, signs and line
// feeds with strtoumax, where git 2.44 and we do not.
var datesDiffer = []string{"!badDate", "!badDateOverflow", "!badTimezone", "!zeroPaddedDate"}

func sameFindings(t *testing.T, obj object, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if slices.Equal(got, want) {
		return
	}
	if len(got) == 1 && slices.Contains(datesDiffer, got[0]) && refusing(want) {
		return
	}
	t.Errorf("%s %s\n%q\n got %v\ngit says %v", obj.kind, idOf(obj), obj.data, got, want)
}

// mutate changes, removes or inserts a few bytes.
func mutate(r *rand.Rand, data []byte) []byte {
	const interesting = "\x00\n <>+-019az\\/.~\xff"
	data = slices.Clone(data)
	for range 1 + r.IntN(3) {
		at, c := r.IntN(len(data)), interesting[r.IntN(len(interesting))]
		switch r.IntN(3) {
		case 0:
			data[at] = c
		case 1:
			data = slices.Delete(data, at, min(at+1+r.IntN(4), len(data)))
		case 2:
			data = slices.Insert(data, at, c)
		}
		if len(data) == 0 {
			return data
		}
	}
	return data
}

// oursAlone are the reasons for which we refuse a .gitmodules and git 2.39 does
// not: our own, and those of the check of urls that git 2.43 brought.
var oursAlone = []string{"control character", "absolute", `".." in it`, `".git" in it`, "line feed",
	"no scheme", "no host", "bad host", "bad port", "bad percent encoding", "climbs above the root"}

func TestGitmodulesLikeGit(t *testing.T) {
	o := newOracle(t)
	r := rand.New(rand.NewPCG(5, 6))
	texts := gitmodules()
	for _, text := range texts[:len(texts):len(texts)] {
		texts = append(texts, string(mutate(r, []byte(text))))
	}
	type pair struct{ blob, tree object }
	var pairs []pair
	for _, text := range texts {
		// Git 2.39 takes byte 255 for the end and sees no byte order mark when
		// it reads a blob, but not so when it reads the file: it does not
		// check what it will use. We do.
		if strings.Contains(text, "\xff") || strings.HasPrefix(text, "\ufeff") {
			continue
		}
		blob := object{git.KindBlob, []byte(text)}
		tree := tree(entryOf("100644", ".gitmodules", idOf(blob)))
		o.writeLoose(blob)
		o.writeLoose(tree)
		pairs = append(pairs, pair{blob, tree})
	}
	want, _ := o.findings()
	for _, p := range pairs {
		id := idOf(p.blob)
		got := check(t, p.tree, p.blob)[id]
		if after := check(t, p.blob, p.tree)[id]; !slices.Equal(got, after) {
			t.Errorf("%q is judged otherwise when it comes before its tree: %v, not %v", p.blob.data, after, got)
		}
		slices.Sort(got)
		slices.Sort(want[id])
		if slices.Equal(got, want[id]) || !refusing(want[id]) && refusing(got) && isOurs(t, p.tree, p.blob) {
			continue
		}
		t.Errorf("%q\n got %v\ngit says %v", p.blob.data, got, want[id])
	}
}

func isOurs(t *testing.T, objects ...object) bool {
	err := refusal(t, objects...)
	return err != nil && slices.ContainsFunc(oursAlone, func(why string) bool { return strings.Contains(err.Error(), why) })
}

// TestVerdictsLikeReceivePack compares verdicts with the process that
// receive-pack starts, for a sample of all cases.
func TestVerdictsLikeReceivePack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts git for each case")
	}
	r := rand.New(rand.NewPCG(7, 8))
	cases := slices.Concat(namedTrees(), oddTrees(), commits(), tags())
	for _, base := range []object{oddTrees()[19], oddTrees()[25]} {
		for range 100 {
			cases = append(cases, object{git.KindTree, mutate(r, base.data)})
		}
	}
	r.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	o := newOracle(t)
	const sample = 150
	accepted := 0
	for _, obj := range cases[:sample] {
		out, refused := o.refuses(obj)
		if refused && brokenLink(out) {
			continue // of the graph, not of the object
		}
		err := refusal(t, obj)
		if (err != nil) != refused {
			t.Errorf("%s %q\n got %v\ngit says %q", obj.kind, obj.data, err, out)
		}
		if !refused {
			accepted++
		}
	}
	if accepted < sample/10 || accepted > sample*9/10 {
		t.Errorf("%d of %d accepted: the cases test nothing", accepted, sample)
	}
}

// brokenLink reports whether index-pack refused because of what the object names.
func brokenLink(out string) bool {
	return strings.Contains(out, "did not receive expected object") || strings.Contains(out, "Not all child objects") ||
		strings.Contains(out, ": expected type ")
}

func TestConfigLikeGit(t *testing.T) {
	o := newOracle(t)
	r := rand.New(rand.NewPCG(9, 10))
	texts := append(gitmodules(),
		"[a]\nb = c d  e \n", "[a]\nb = \" c \" # d\n", "[a]\nb = c\\t\\b\\n\\\\\\\"\n", "[a \"B c\"]\nD-e = f\n[g]\nh\n", "[a.B]\nc = d ; e\n", "[a]b=c", "[a] [b] c = d\n", "[]\n", "[a\n", "[a \"b\\\nc\"]\n")
	for _, text := range texts[:len(texts):len(texts)] {
		texts = append(texts, string(mutate(r, []byte(text))))
	}
	r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	for _, text := range texts[:200] {
		if strings.Contains(text, "\x00") {
			continue // has another meaning in the output of -z
		}
		var got strings.Builder
		if err := parse(text, func(name, value string) { fmt.Fprintf(&got, "%s=%s\x00", name, value) }); err != nil {
			got.Reset()
			got.WriteString("bad config")
		}
		out, err := o.git([]byte(text), "config", "--file=-", "--list", "-z")
		want := strings.ReplaceAll(out, "\n", "=")
		if err != nil && strings.Contains(out, "bad config line") {
			want = "bad config"
		}
		if normal(got.String()) != normal(want) {
			t.Errorf("%q\n got %q\nwant %q", text, got.String(), want)
		}
	}
}

// normal undoes what the output of git config -z cannot tell apart, keys without
// a value, and what git before 2.45 does to white space within values.
func normal(s string) string {
	s = strings.NewReplacer("\t", " ", "\r", " ", "\n", "=").Replace(s)
	return strings.ReplaceAll(s, "=\x00", "\x00")
}
