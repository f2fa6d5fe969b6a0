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

func TestReachable(t *testing.T) {
	for seed := range 300 {
		r := seeded(seed)
		m := randomModel(r, 2+r.IntN(40), seed%2 == 0)
		tips := pick(r, m.commits, 1+r.IntN(3))
		if seed%3 == 0 {
			tips = append(tips, m.tag(m.tag(tips[0], "inner"), "outer"), m.tag(m.blob("tagged"), "blob"),
				m.tag(m.tree(map[string]string{"only/here": "x"}), "tree"))
		}
		all := slices.SortedFunc(maps.Keys(m.Memory), func(a, b git.ID) int { return slices.Compare(a[:], b[:]) })
		targets := append(pick(r, all, r.IntN(8)), git.ID{5})
		if seed%5 == 0 {
			targets = all
		}
		if seed%5 == 1 {
			targets = pick(r, m.commits, 4)
		}
		got, err := history.Reachable(context.Background(), m, git.SHA1, tips, targets, history.Derived{})
		if err != nil {
			t.Fatal(err)
		}
		in := m.closure(set{}, nil, tips...)
		for _, id := range targets {
			if got[id] != in[id] {
				t.Errorf("seed %d: %s %s: reachable %v, want %v", seed, m.Memory[id].Kind, id, got[id], in[id])
			}
		}
		maps.DeleteFunc(got, func(id git.ID, _ bool) bool { return slices.Contains(targets, id) })
		if len(got) != 0 {
			t.Errorf("seed %d: %d answers that nobody asked for", seed, len(got))
		}
	}
}

// What is near the tips is found without going far.
func TestReachableStops(t *testing.T) {
	m := newModel()
	tip := m.commit(0, map[string]string{"f": "0"})
	for i := range 1000 {
		tip = m.commit(int64(i), map[string]string{"f": fmt.Sprint(i)}, tip)
	}
	for _, target := range []git.ID{tip, m.commits[len(m.commits)-3], m.blob("998")} {
		c := &counting{Objects: m}
		got, err := history.Reachable(context.Background(), c, git.SHA1, []git.ID{tip}, []git.ID{target}, history.Derived{})
		if err != nil || !got[target] || c.reads > 15 {
			t.Errorf("%v, %v after %d reads", got, err, c.reads)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := history.Reachable(ctx, m, git.SHA1, []git.ID{tip}, []git.ID{m.commits[0]}, history.Derived{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the context ended", err)
	}
}

// ready asks stock git whether it would send now.
func (r repository) ready(wants, haves []git.ID) bool {
	var req strings.Builder
	line := func(format string, args ...any) {
		s := fmt.Sprintf(format, args...)
		fmt.Fprintf(&req, "%04x%s", len(s)+4, s)
	}
	line("command=fetch")
	req.WriteString("0001")
	for _, id := range wants {
		line("want %s\n", git.SHA1.Hex(id))
	}
	for _, id := range haves {
		line("have %s\n", git.SHA1.Hex(id))
	}
	req.WriteString("0000")
	cmd := "GIT_PROTOCOL=version=2 exec git -c uploadpack.allowAnySHA1InWant=true upload-pack --stateless-rpc ."
	out, err := r.sh(req.String(), cmd)
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Contains(out, "ready\n")
}

func TestReadyToSend(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 4
	}
	answers := map[bool]int{}
	for seed := range rounds {
		r := seeded(seed)
		m := randomModel(r, 4+r.IntN(30), false)
		repo := m.export(t, nil)
		var d history.Derived
		if seed%2 == 1 {
			d = m.randomStack(t, r)
		}
		for range 5 {
			wants, haves := pick(r, m.commits, 1+r.IntN(3)), pick(r, m.commits, 1+r.IntN(2))
			if r.IntN(4) == 0 {
				haves = append(haves, git.ID{1})
			}
			got, err := history.ReadyToSend(context.Background(), m, git.SHA1, wants, haves, d)
			if err != nil {
				t.Fatal(err)
			}
			if want := repo.ready(wants, haves); got != want {
				t.Errorf("seed %d: ready %v, git %v", seed, got, want)
			}
			answers[got]++
		}
	}
	if answers[true] == 0 || answers[false] == 0 {
		t.Errorf("answers %v: the test is blind", answers)
	}
}

func TestReadyToSendEdges(t *testing.T) {
	m := newModel()
	a := m.commit(1, map[string]string{"f": "1"})
	b := m.commit(2, map[string]string{"f": "2"}, a)
	c := m.commit(3, map[string]string{"f": "3"}, b)
	for _, tt := range []struct {
		name          string
		wants, common []git.ID
		ready         bool
	}{
		{"nothing in common", []git.ID{c}, nil, false},
		{"itself", []git.ID{c}, []git.ID{c}, true},
		{"an ancestor", []git.ID{c}, []git.ID{a}, true},
		{"a child", []git.ID{a}, []git.ID{b}, true},
		{"a grandchild", []git.ID{a}, []git.ID{c}, false},
		{"a tag", []git.ID{m.tag(c, "t")}, []git.ID{b}, true},
		{"a blob", []git.ID{m.blob("1")}, []git.ID{c}, true},
		{"unknown", []git.ID{c}, []git.ID{{1}}, false},
	} {
		if got, err := history.ReadyToSend(context.Background(), m, git.SHA1, tt.wants, tt.common, history.Derived{}); err != nil || got != tt.ready {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}
