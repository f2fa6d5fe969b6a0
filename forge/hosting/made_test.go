package hosting_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/hosting"
	gitobj "github.com/ingot-forge/ingot/git"
)

// make makes a blob by itself.
func (w *world) make(t *testing.T, h *hosting.Handle, content string) gitobj.ID {
	t.Helper()
	ctx := t.Context()
	snap, err := h.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	id, err := gitobj.NewHasher(gitobj.SHA1).Hash(gitobj.KindBlob, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	objects := gitobj.Memory{}
	o := objects[id]
	o.Kind, o.Data = gitobj.KindBlob, []byte(content)
	objects[id] = o
	staged, err := h.Stage(ctx, snap, objects)
	if err == nil {
		err = h.Keep(ctx, snap, staged, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (w *world) knows(t *testing.T, owner, name string, id gitobj.ID) bool {
	t.Helper()
	h, err := w.Open(t.Context(), w.machine, forge.Read, owner, name)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := h.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	known, err := h.Known(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	missing, err := known.Missing(t.Context(), []gitobj.ID{id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return len(missing) == 0
}

// TestMade: what is made by itself is known here, to nobody by a ref, in no fork, and for some days.
func TestMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t, hosting.Limits{})
		r := w.create(t, w.alice, "r", false)
		push := func() *hosting.Handle {
			h, err := w.OpenID(t.Context(), w.alice, forge.Push, r.ID)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		id := w.make(t, push(), "made")
		if again := w.make(t, push(), "made"); again != id || !w.knows(t, "alice", "r", id) {
			t.Error("what was made is not known")
		}
		h := push()
		snap, err := h.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(hosting.Refs(snap.State(), "refs/", "", 10)); n != 0 || snap.State().Refs.Len() != 1 {
			t.Errorf("%d refs are listed, of %v", n, snap.State().Refs)
		}
		snap.Close()
		if log, err := h.RefLog(t.Context(), "", 0, 10); err != nil || len(log) != 0 {
			t.Errorf("ref log: %v, %v", log, err)
		}
		events, err := h.Events(t.Context(), 0, 10)
		if err != nil || len(events) != 1 {
			t.Errorf("events: %v, %v", events, err)
		}
		time.Sleep(7 * 24 * time.Hour)
		w.make(t, push(), "another")
		if !w.knows(t, "alice", "r", id) {
			t.Error("it is gone too early")
		}
		time.Sleep(24 * time.Hour)
		w.make(t, push(), "a third")
		if w.knows(t, "alice", "r", id) {
			t.Error("it is still there")
		}
	})
}

func TestMadeNeedsPush(t *testing.T) {
	w := open(t, hosting.Limits{})
	w.create(t, w.alice, "r", false)
	h, err := w.Open(t.Context(), w.alice, forge.Read, "alice", "r")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := h.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	if _, err := h.Stage(t.Context(), snap, gitobj.Memory{}); err == nil || !strings.Contains(err.Error(), "not to push") {
		t.Errorf("stage: %v", err)
	}
	if err := h.Keep(t.Context(), snap, nil, gitobj.ID{1}); err == nil || !strings.Contains(err.Error(), "not to push") {
		t.Errorf("keep: %v", err)
	}
	h, err = w.Open(t.Context(), w.alice, forge.Push, "alice", "r")
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "keep what is not there", h.Keep(t.Context(), snap, nil, gitobj.ID{1}), forge.Invalid)
}
