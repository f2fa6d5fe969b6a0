package hosting_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
)

func TestPushAndClone(t *testing.T) {
	w := open(t, hosting.Limits{})
	r := w.create(t, w.alice, "x", true)
	work := workingCopy(t)
	url := w.serve(t, w.alice)
	git(t, work, "push", "-q", "-o", "hello", url+"/alice/x.git", "main", "v1")
	git(t, work, "push", "-q", url+"/alice/x", "side", ":refs/tags/v1")
	clone := t.TempDir()
	git(t, clone, "clone", "-q", url+"/alice/x.git", ".")
	if got, want := git(t, clone, "rev-parse", "HEAD", "origin/side"), git(t, work, "rev-parse", "main", "side"); got != want {
		t.Errorf("clone has %q, want %q", got, want)
	}

	h, err := w.Open(t.Context(), w.alice, forge.Read, "alice", "x")
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.Events(t.Context(), 0, 10)
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events, %v; want creation and two pushes", len(events), err)
	}
	var push forge.PushEvent
	if err := json.Unmarshal(events[1].Payload, &push); err != nil {
		t.Fatal(err)
	}
	zero := strings.Repeat("0", 40)
	if events[1].Kind != forge.EventPush || push.Actor != (forge.EventActor{ID: w.alice.User.ID, Login: "alice", Via: "password"}) ||
		len(push.Refs) != 2 || push.Refs[0] != (forge.RefChange{Name: "refs/heads/main", Old: zero, New: git(t, work, "rev-parse", "main")}) ||
		len(push.Options) != 1 || push.Options[0] != "hello" {
		t.Errorf("push event %s", events[1].Payload)
	}
	log, err := h.RefLog(t.Context(), "refs/heads/main", 0, 10)
	if err != nil || len(log) != 1 || log[0].Who != "alice" {
		t.Errorf("ref log %+v, %v", log, err)
	}
	if got, err := w.Get(t.Context(), w.alice, "alice", "x"); err != nil || got.Pushed.IsZero() || got.Bytes == 0 || got.ID != r.ID {
		t.Errorf("after pushing: %+v, %v", got, err)
	}
}

// TestPushRefused: who may not push leaves nothing, whatever is there.
func TestPushRefused(t *testing.T) {
	w := open(t, hosting.Limits{})
	w.create(t, w.alice, "public", false)
	w.create(t, w.alice, "private", true)
	w.create(t, w.alice, "archived", false)
	yes := true
	if _, err := w.Edit(t.Context(), w.alice, "alice", "archived", hosting.Edit{Archived: &yes}); err != nil {
		t.Fatal(err)
	}
	work := workingCopy(t)
	for _, c := range []struct {
		name  string
		actor *forge.Actor
		repo  string
	}{
		{"anonymous", w.anonymous, "alice/public"}, {"anonymous", w.anonymous, "alice/private"}, {"anonymous", w.anonymous, "alice/new"},
		{"stranger", w.bob, "alice/public"}, {"stranger", w.bob, "alice/private"}, {"stranger", w.bob, "alice/new"}, {"stranger", w.bob, "nobody/new"},
		{"owner", w.alice, "alice/archived"}, {"owner", w.alice, "alice/con"}, {"owner", w.alice, "alice/x.wiki"}, {"owner", w.alice, "alice/-x"},
		{"read token", token(w.alice, 0, forge.ScopeReadRepo), "alice/public"}, {"read token", token(w.alice, 0, forge.ScopeReadRepo), "alice/private"},
		{"read token", token(w.alice, 0, forge.ScopeReadRepo), "alice/new"},
		{"public token", token(w.alice, 0, forge.ScopePublicRepo), "alice/private"}, {"public token", token(w.alice, 0, forge.ScopePublicRepo), "alice/new"},
		{"token for another", token(w.alice, 99, forge.ScopeRepo), "alice/public"}, {"token for another", token(w.alice, 99, forge.ScopeRepo), "alice/private"},
		{"token for another", token(w.alice, 99, forge.ScopeRepo), "alice/new"},
		{"administrator's token without admin", token(w.admin, 0, forge.ScopeRepo), "alice/new"},
	} {
		owner, name, _ := strings.Cut(c.repo, "/")
		before := w.refs(t, owner, name)
		if out, err := tryGit(work, "push", w.serve(t, c.actor)+"/"+c.repo, "main"); err == nil {
			t.Errorf("%s pushed to %s:\n%s", c.name, c.repo, out)
		}
		if after := w.refs(t, owner, name); after != before {
			t.Errorf("%s pushing to %s left %q, was %q", c.name, c.repo, after, before)
		}
	}
}

func TestPushToCreate(t *testing.T) {
	w := open(t, hosting.Limits{})
	work := workingCopy(t)
	main := git(t, work, "rev-parse", "--short=8", "main")
	for _, c := range []struct {
		actor *forge.Actor
		repo  string
	}{{w.alice, "alice/new"}, {w.alice, "ALICE/Second.git"}, {token(w.alice, 0, forge.ScopeRepo), "alice/third"}, {w.admin, "bob/given"}} {
		git(t, work, "push", "-q", w.serve(t, c.actor)+"/"+c.repo, "main")
		owner, name, _ := strings.Cut(strings.TrimSuffix(c.repo, ".git"), "/")
		if got, want := w.refs(t, owner, name), "HEAD refs/heads/main; "+main+" refs/heads/main"; got != want {
			t.Errorf("%s has %q, want %q", c.repo, got, want)
		}
		r, err := w.Get(t.Context(), w.machine, owner, name)
		if err != nil || !r.Private || r.Name != name || !strings.EqualFold(r.Owner, owner) {
			t.Errorf("%s: %+v, %v; want it private", c.repo, r, err)
		}
	}
	// The only branch becomes the default one.
	git(t, work, "push", "-q", w.serve(t, w.alice)+"/alice/other", "main:refs/heads/trunk")
	if got, want := w.refs(t, "alice", "other"), "HEAD refs/heads/trunk; "+main+" refs/heads/trunk"; got != want {
		t.Errorf("after pushing trunk: %q, want %q", got, want)
	}
}

// TestAskingCreatesNothing: neither the GET before a push nor a push that
// brings nothing leaves a repository.
func TestAskingCreatesNothing(t *testing.T) {
	w := open(t, hosting.Limits{})
	for _, stateless := range []bool{true, false} {
		push, err := w.Push(t.Context(), w.alice, "alice", "new")
		if err != nil {
			t.Fatal(err)
		}
		wire := hosting.Wire{Stateless: stateless}
		if stateless {
			var out strings.Builder
			if err := push.Advertise(t.Context(), &out, wire); err != nil || !strings.Contains(out.String(), "capabilities^{}") {
				t.Errorf("advertisement %q, %v", out.String(), err)
			}
		}
		c := &conversation{send: func(string) []byte { return []byte("0000") }}
		if report, err := push.Serve(t.Context(), c, c, wire); err != nil || len(report.Moved) != 0 {
			t.Errorf("a push of nothing: %+v, %v", report, err)
		}
		push.Close()
		if got := w.refs(t, "alice", "new"); got != "" {
			t.Errorf("stateless %v: a push of nothing left %q", stateless, got)
		}
	}
	if events, err := w.memory.ListEvents(t.Context(), 0, 0, 10); err != nil || len(events) != 0 {
		t.Errorf("events %+v, %v; want none", events, err)
	}
}

// request makes what a client sends to create main.
func request(t *testing.T, work, id string) []byte {
	t.Helper()
	command := fmt.Sprintf("%s %s refs/heads/main\x00report-status\n", strings.Repeat("0", 40), id)
	cmd := exec.Command("git", "pack-objects", "--all", "--stdout", "-q")
	cmd.Dir = work
	pack, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return append(fmt.Appendf(nil, "%04x%s0000", len(command)+4, command), pack...)
}

// TestConversationCreates is push-to-create as over SSH: one conversation, and
// the client sees one advertisement.
func TestConversationCreates(t *testing.T) {
	w := open(t, hosting.Limits{})
	work := workingCopy(t)
	id := git(t, work, "rev-parse", "main")
	push, err := w.Push(t.Context(), w.alice, "alice", "new")
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	c := &conversation{}
	c.send = func(said string) []byte {
		if !strings.HasSuffix(said, "0000") || w.refs(t, "alice", "new") != "" {
			t.Errorf("before the client spoke: %q, repository %q", said, w.refs(t, "alice", "new"))
		}
		return request(t, work, id)
	}
	report, err := push.Serve(t.Context(), c, c, hosting.Wire{})
	if err != nil || len(report.Moved) != 1 || push.Repository == nil {
		t.Fatalf("push: %+v, %v", report, err)
	}
	if got, want := w.refs(t, "alice", "new"), "HEAD refs/heads/main; "+id[:8]+" refs/heads/main"; got != want {
		t.Errorf("repository %q, want %q", got, want)
	}
	if said := c.String(); strings.Count(said, "capabilities^{}") != 1 || !strings.Contains(said, "ok refs/heads/main") {
		t.Errorf("the server said %q", said)
	}
}

// TestFailedPushLeavesNoRepository breaks the push that would create in
// several ways.
func TestFailedPushLeavesNoRepository(t *testing.T) {
	w := open(t, hosting.Limits{})
	work := workingCopy(t)
	id := git(t, work, "rev-parse", "main")
	whole := request(t, work, id)
	damaged := append([]byte{}, whole...)
	damaged[len(damaged)-30] ^= 1
	for name, sent := range map[string][]byte{
		"not git":          []byte("GET / HTTP/1.1\r\n\r\n"),
		"three bytes":      []byte("00a"),
		"nothing":          nil,
		"cut in a command": whole[:20],
		"no pack":          whole[:bytes.Index(whole, []byte("PACK"))],
		"half a pack":      whole[:len(whole)-100],
		"a damaged pack":   damaged,
		"a missing object": request(t, work, strings.Repeat("1", 40)),
		"a bad ref name":   []byte(strings.Replace(string(whole), "refs/heads/main", "refs/heads/ma..", 1)),
	} {
		for _, stateless := range []bool{true, false} {
			push, err := w.Push(t.Context(), w.alice, "alice", "new")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			c := &conversation{send: func(string) []byte { return sent }}
			report, err := push.Serve(ctx, c, c, hosting.Wire{Stateless: stateless})
			cancel()
			push.Close()
			if report != nil && len(report.Moved) > 0 {
				t.Errorf("%s: moved %+v, %v", name, report.Moved, err)
			}
			if got := w.refs(t, "alice", "new"); got != "" {
				t.Errorf("%s, stateless %v: left %q", name, stateless, got)
			}
		}
	}
	// A client that goes away takes its context with it.
	push, err := w.Push(t.Context(), w.alice, "alice", "new")
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c := &conversation{send: func(string) []byte { return whole }}
	gone := &cancelling{c, cancel, 200}
	if _, err := push.Serve(ctx, gone, c, hosting.Wire{Stateless: true}); err == nil {
		t.Error("push with a cancelled context succeeded")
	}
	if got := w.refs(t, "alice", "new"); got != "" {
		t.Errorf("a client that went away left %q", got)
	}
}

// cancelling gives few bytes at a time, and up after some of them.
type cancelling struct {
	*conversation
	cancel context.CancelFunc
	after  int
}

func (c *cancelling) Read(p []byte) (int, error) {
	if c.after -= min(len(p), 50); c.after < 0 {
		c.cancel()
		return 0, context.Canceled
	}
	return c.conversation.Read(p[:min(len(p), 50)])
}

// TestPushesThatCreateMeet: two clients create the same repository at once;
// both pushes are served, into one repository.
func TestPushesThatCreateMeet(t *testing.T) {
	w := open(t, hosting.Limits{})
	work := workingCopy(t)
	id := git(t, work, "rev-parse", "main")
	first, err := w.Push(t.Context(), w.alice, "alice", "new")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	git(t, work, "push", "-q", w.serve(t, w.alice)+"/alice/new", "side")
	c := &conversation{send: func(string) []byte { return request(t, work, id) }}
	if report, err := first.Serve(t.Context(), c, c, hosting.Wire{Stateless: true}); err != nil || len(report.Moved) != 1 {
		t.Errorf("the slower push: %+v, %v", report, err)
	}
	if got := w.refs(t, "alice", "new"); strings.Count(got, ";") != 2 {
		t.Errorf("repository %q, want both branches", got)
	}
	// One that fails does not take away what the other made.
	again, err := w.Push(t.Context(), w.bob, "bob", "new")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	git(t, work, "push", "-q", w.serve(t, w.bob)+"/bob/new", "side")
	c = &conversation{send: func(string) []byte { return request(t, work, id)[:300] }}
	again.Serve(t.Context(), c, c, hosting.Wire{Stateless: true})
	if got := w.refs(t, "bob", "new"); got == "" {
		t.Error("a failed push took away what another made")
	}
}
