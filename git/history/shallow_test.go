package history_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/history"
)

// uploadPack asks stock git for a shallow fetch, by one request of protocol v0
// as it comes over HTTP, and returns the shallow and unshallow lines.
func (r repository) uploadPack(wants, clientShallow []git.ID, deepen ...string) (boundary, unshallow set, err error) {
	var req strings.Builder
	line := func(format string, args ...any) {
		s := fmt.Sprintf(format, args...)
		fmt.Fprintf(&req, "%04x%s", len(s)+4, s)
	}
	caps := " multi_ack_detailed"
	deepen = slices.DeleteFunc(slices.Clone(deepen), func(d string) bool {
		if d == "deepen-relative" {
			caps += " deepen-relative"
		}
		return d == "deepen-relative"
	})
	for i, id := range wants {
		if i > 0 {
			caps = ""
		}
		line("want %s%s\n", git.SHA1.Hex(id), caps)
	}
	for _, id := range clientShallow {
		line("shallow %s", git.SHA1.Hex(id))
	}
	for _, d := range deepen {
		line("%s", d)
	}
	req.WriteString("0000")
	out, err := r.try(req.String(), "-c", "uploadpack.allowAnySHA1InWant=true", "upload-pack", "--stateless-rpc", r.dir)
	boundary, unshallow = set{}, set{}
	for rest := out; len(rest) >= 4; {
		var n int
		fmt.Sscanf(rest[:4], "%04x", &n)
		if n < 4 || n > len(rest) {
			break
		}
		text := strings.TrimSpace(rest[4:n])
		rest = rest[n:]
		if hex, ok := strings.CutPrefix(text, "shallow "); ok {
			id, _ := git.SHA1.Parse(hex)
			boundary[id] = true
		}
		if hex, ok := strings.CutPrefix(text, "unshallow "); ok {
			id, _ := git.SHA1.Parse(hex)
			unshallow[id] = true
		}
	}
	return boundary, unshallow, err
}

func TestShallowAgainstGit(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 6
	}
	for seed := range rounds {
		r := seeded(seed)
		m := randomModel(r, 5+r.IntN(40), seed%2 == 1)
		old := m.commits[r.IntN(len(m.commits))]
		tag := m.tag(m.commits[len(m.commits)-1], "tip")
		refs := map[string]git.ID{"refs/heads/old": old, "refs/tags/tip": tag, "refs/tags/blob": m.blob("x")}
		for i := range 4 {
			refs[fmt.Sprint("refs/heads/b", i)] = m.commits[len(m.commits)-1-r.IntN(len(m.commits)/2+1)]
		}
		repo := m.export(t, refs)
		var derived history.Derived
		if seed%3 > 0 {
			derived = m.randomStack(t, r)
		}
		tips := slices.Collect(maps.Values(refs))
		for _, d := range []history.Depth{
			{Commits: 1}, {Commits: 2}, {Commits: 3 + r.IntN(4)}, {Commits: 100}, {Commits: history.Infinite},
			{Commits: 1, Relative: true, Tips: tips}, {Commits: 3, Relative: true, Tips: tips},
			{Since: 1_000_000 + int64(r.IntN(100*len(m.commits)))}, {Since: 1_000_000 + int64(100*r.IntN(len(m.commits)))},
			{Not: []git.ID{old}}, {Not: []git.ID{old}, Since: 1_000_000 + int64(r.IntN(100*len(m.commits)))},
		} {
			wants := pick(r, tips, 1+r.IntN(2))
			client := pick(r, m.commits, r.IntN(4))
			slices.SortFunc(wants, func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
			wants = slices.Compact(wants)
			var lines []string
			if d.Commits > 0 {
				lines = append(lines, fmt.Sprintf("deepen %d", d.Commits))
			}
			if d.Relative {
				if seed%2 == 1 {
					// Where dates lie, stock git takes commits that refs reach
					// for ones that they do not.
					continue
				}
				lines = append(lines, "deepen-relative")
			}
			if d.Since != 0 {
				lines = append(lines, fmt.Sprintf("deepen-since %d", d.Since))
			}
			if len(d.Not) > 0 {
				lines = append(lines, "deepen-not refs/heads/old")
			}
			wantBoundary, wantUnshallow, gitErr := repo.uploadPack(wants, client, lines...)
			boundary, unshallow, err := history.Shallow(context.Background(), m, git.SHA1, wants, client, d, derived)
			if errors.Is(err, history.ErrNothingSelected) {
				if gitErr == nil || !strings.Contains(gitErr.Error(), "no commits selected") {
					t.Errorf("seed %d %v: %v, git %v", seed, lines, err, gitErr)
				}
				continue
			}
			if err != nil || gitErr != nil {
				t.Errorf("seed %d %v: %v, git %v", seed, lines, err, gitErr)
				continue
			}
			if got := setOf(boundary...); !maps.Equal(got, wantBoundary) || len(got) != len(boundary) {
				t.Errorf("seed %d %v: boundary of %d, git %d", seed, lines, len(boundary), len(wantBoundary))
			}
			if got := setOf(unshallow...); !maps.Equal(got, wantUnshallow) || len(got) != len(unshallow) {
				t.Errorf("seed %d %v: %d unshallowed, git %d", seed, lines, len(unshallow), len(wantUnshallow))
			}
		}
	}
}

// A client that deepens what it has, step by step, always has what it should.
func TestShallowFetches(t *testing.T) {
	for seed := range 200 {
		r := seeded(seed)
		m := randomModel(r, 3+r.IntN(40), seed%2 == 0)
		var shallow, haves []git.ID
		client := set{}
		for range 4 {
			wants := pick(r, m.commits, 1+r.IntN(2))
			d := history.Depth{Commits: 1 + r.IntN(6), Relative: len(shallow) > 0 && r.IntN(2) == 0}
			if r.IntN(5) == 0 {
				d = history.Depth{Commits: history.Infinite}
			}
			boundary, unshallow, err := history.Shallow(context.Background(), m, git.SHA1, wants, shallow, d, history.Derived{})
			if err != nil {
				t.Fatal(err)
			}
			got := missing(t, m, history.Request{Wants: wants, Haves: haves, Shallow: shallow,
				Boundary: boundary, Unshallow: unshallow})
			for id := range got {
				client[id] = true
			}
			drop := setOf(unshallow...)
			shallow = slices.DeleteFunc(append(shallow, boundary...), func(id git.ID) bool { return drop[id] })
			haves = append(haves, wants...)
			for id := range m.closure(set{}, setOf(shallow...), haves...) {
				if !client[id] {
					t.Errorf("seed %d: %s %s is missing on the client", seed, m.Memory[id].Kind, id)
				}
			}
		}
	}
}

// An update of a shallow clone does not bring its tree again.
func TestShallowUpdateIsSmall(t *testing.T) {
	m := newModel()
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("d%d/f%d", i%10, i)] = fmt.Sprint(i)
	}
	old := m.commit(1, files)
	files = maps.Clone(files)
	files["d1/f1"] = "new"
	tip := m.commit(2, files, old)
	got := missing(t, m, history.Request{Wants: []git.ID{tip}, Haves: []git.ID{old},
		Shallow: []git.ID{old}, Boundary: []git.ID{tip}})
	if len(got) != 4 {
		t.Errorf("%d objects sent, want 4", len(got))
	}
}
