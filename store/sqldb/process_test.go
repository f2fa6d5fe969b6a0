package sqldb_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/store/sqldb"
)

// TestMain lets the test binary stand in for other processes with the same
// database open.
func TestMain(m *testing.M) {
	if path := os.Getenv("SQLDB_TEST_DATABASE"); path != "" {
		commits, _ := strconv.Atoi(os.Getenv("SQLDB_TEST_COMMITS"))
		if err := otherProcess(path, os.Getenv("SQLDB_TEST_NAME"), commits); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// otherProcess commits to the first repository, which it makes if it is not
// there yet. Each commit moves two refs to the same target, adds a pack and an
// event. It prints the version of each commit once it is acknowledged.
func otherProcess(path, name string, commits int) error {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, path)
	if err != nil {
		return err
	}
	id, err := firstRepository(ctx, db)
	if err != nil {
		return err
	}
	s, err := db.Catalog().Load(ctx, id, nil)
	if err != nil {
		return err
	}
	// Several at once, so that they are committed together.
	const writers = 3
	failed := make(chan error, writers)
	for w := range writers {
		go func() { failed <- moveTwo(ctx, db, s, fmt.Sprintf("%s-%d", name, w), commits/writers) }()
	}
	for range writers {
		err = errors.Join(err, <-failed)
	}
	return errors.Join(err, db.Close())
}

// moveTwo makes the commits of otherProcess.
func moveTwo(ctx context.Context, db *sqldb.DB, s *repo.State, name string, commits int) error {
	at := 0
	if r, ok := s.Refs.Find("refs/heads/" + name + "/a"); ok {
		at, _ = strconv.Atoi(string(r.Target[:20]))
	}
	for i := range commits {
		var old git.ID
		if at+i > 0 {
			old = object(at + i)
		}
		to := object(at + i + 1)
		version, err := db.Catalog().Commit(ctx, &repo.Change{
			Repository: s.ID, Who: name, Why: "push", Time: made,
			Add: []repo.Pack{{Name: fmt.Sprintf("%s-%d", name, at+i), Checksum: []byte{1}, Added: made}},
			Refs: []repo.RefUpdate{
				{Name: "refs/heads/" + name + "/a", Old: old, New: to},
				{Name: "refs/heads/" + name + "/b", Old: old, New: to}},
			Event: &repo.Event{Kind: "push", Payload: []byte("{}")},
		})
		if err != nil {
			return fmt.Errorf("commit %d of %s: %w", i, name, err)
		}
		fmt.Println(version)
	}
	return nil
}

// firstRepository finds or makes the only repository, whoever is first.
func firstRepository(ctx context.Context, db *sqldb.DB) (repo.ID, error) {
	owner, err := db.Users().FindUser(ctx, "owner")
	if errors.Is(err, forge.ErrNoRow) {
		owner, err = createOwner(ctx, db)
	}
	if err != nil {
		return 0, err
	}
	ids, err := db.Catalog().Repositories(ctx, 0, 1)
	if err == nil && len(ids) == 0 {
		err = createFirst(ctx, db, owner.ID)
		if err == nil {
			ids, err = db.Catalog().Repositories(ctx, 0, 1)
		}
	}
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

func start(t *testing.T, path, name string, commits int) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "SQLDB_TEST_DATABASE="+path, "SQLDB_TEST_NAME="+name, "SQLDB_TEST_COMMITS="+strconv.Itoa(commits))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out), &stderr
}

// Processes that start at once on a database that does not exist yet agree on
// its schema, and none of their commits fails or is lost.
func TestProcessesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ingot.db")
	const processes, commits = 4, 24
	type running struct {
		cmd    *exec.Cmd
		stderr *bytes.Buffer
		out    *bufio.Scanner
	}
	var all []running
	for i := range processes {
		cmd, out, stderr := start(t, path, fmt.Sprintf("p%d", i), commits)
		all = append(all, running{cmd, stderr, out})
	}
	versions := map[string]bool{}
	for _, p := range all {
		for p.out.Scan() {
			versions[p.out.Text()] = true
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("process: %v: %s", err, p.stderr)
		}
	}
	if len(versions) != processes*commits {
		t.Errorf("%d different versions, want %d", len(versions), processes*commits)
	}
	db := open(t, path)
	id, err := firstRepository(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	checkWhole(t, db, id, processes*commits)
}

// checkWhole checks that every commit of otherProcess is there whole or not at
// all, and that at least so many are.
func checkWhole(t *testing.T, db *sqldb.DB, id repo.ID, atLeast int) {
	t.Helper()
	ctx := t.Context()
	s, err := db.Catalog().Load(ctx, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	log, err := db.Catalog().RefLog(ctx, id, "", 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	events, err := db.Events().ListEvents(ctx, forge.RepositoryID(id), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	v := int(s.Version)
	if v < atLeast || len(log) != 2*v || len(s.Packs) != v || len(events) != v {
		t.Errorf("version %d (want at least %d) with %d lines of log, %d packs, %d events", v, atLeast, len(log), len(s.Packs), len(events))
	}
	refs := slices.Collect(s.Refs.All())
	for i := 0; i+1 < len(refs); i += 2 {
		if a, b := refs[i], refs[i+1]; a.Target != b.Target {
			t.Errorf("%s is at %s, %s at %s", a.Name, a.Target, b.Name, b.Target)
		}
	}
}

// A process that is killed leaves every commit whole or not at all, and all
// that it was told of; the next one goes on at once.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for two seconds")
	}
	path := filepath.Join(t.TempDir(), "ingot.db")
	for round := range 10 {
		cmd, out, stderr := start(t, path, "victim", 1_000_000)
		kill := time.AfterFunc(time.Duration(50+37*round)*time.Millisecond, func() { cmd.Process.Kill() })
		acknowledged := 0
		for out.Scan() {
			version, _ := strconv.Atoi(out.Text()) // of those at once, the lower may come later
			acknowledged = max(acknowledged, version)
		}
		err := cmd.Wait()
		kill.Stop()
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("process ended by itself: %v: %s", err, stderr)
		}
		db := open(t, path)
		if id, err := firstRepository(t.Context(), db); err != nil {
			t.Error(err)
		} else {
			checkWhole(t, db, id, acknowledged)
		}
	}
}
