package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// touched is how many of the repositories are pushed to and fetched from.
	touched = 5000
	// large is how many of those get a pack that has bitmaps and a commit graph.
	large = 1000
	// makers is how many clients make repositories at once.
	makers = 32
)

// repositories measures what very many repositories cost in one server: ours alone, since stock keeps a
// directory with ten files for each.
func (b *bench) repositories() error {
	n := b.options.repositories
	fmt.Printf("\n| %d repositories in one server | |\n| --- | --- |\n", n)
	row := func(what, format string, args ...any) {
		fmt.Printf("| %s | %s |\n", what, fmt.Sprintf(format, args...))
	}
	if err := b.ours.restart(); err != nil {
		return err
	}
	one := newTinyHistory("one")
	pushBefore, fetchBefore, err := one.measure(b.ours, "one")
	if err != nil {
		return err
	}
	empty, err := b.ours.databaseBytes()
	if err != nil {
		return err
	}
	made, err := measure(b.ours, 1, nil, func(int) (int64, error) {
		return 0, atOnce(makers, n, func(i int) error { return b.ours.make(fmt.Sprintf("many-%06d", i)) })
	})
	if err != nil {
		return err
	}
	full, err := b.ours.databaseBytes()
	if err != nil {
		return err
	}
	row(fmt.Sprintf("made through the API, %d at once", makers), "%s; %.0f a second, CPU %s each", duration(made.wall),
		float64(n)/made.wall.Seconds(), duration(made.cpu/time.Duration(n)))
	row("database, for each", "%d bytes", (full-empty)/int64(n))
	if err := b.ours.restart(); err != nil {
		return err
	}
	pushAfter, fetchAfter, err := one.measure(b.ours, "one")
	if err != nil {
		return err
	}
	row("push of one commit, before and with them", "%s, %s", pushBefore, pushAfter)
	row("fetch of one commit, before and with them", "%s, %s", fetchBefore, fetchAfter)
	idle, err := b.ours.held()
	if err != nil {
		return err
	}
	row("server after that", "%s", idle)

	k := min(touched, n)
	small, err := measure(b.ours, 1, nil, func(int) (int64, error) {
		return 0, atOnce(8, k, func(i int) error {
			repo := fmt.Sprintf("many-%06d", i)
			h := newTinyHistory(repo)
			if err := h.push(b.ours, repo); err != nil {
				return err
			}
			return h.fetch(b.ours, repo)
		})
	})
	if err != nil {
		return err
	}
	held, err := b.ours.held()
	if err != nil {
		return err
	}
	row(fmt.Sprintf("push and fetch in each of %d, 8 at once", k), "%s each, CPU %s", duration(small.wall/time.Duration(k)), duration(small.cpu/time.Duration(k)))
	row("server after that", "%s", held)
	if err := b.largeOnes(min(large, n), row); err != nil {
		return err
	}
	pushAfter, fetchAfter, err = one.measure(b.ours, "one")
	if err != nil {
		return err
	}
	row("push, fetch of one commit after all", "%s, %s", pushAfter, fetchAfter)
	for _, command := range []string{"sweep", "compact"} {
		took, err := measure(b.ours, 1, nil, func(int) (int64, error) { return 0, b.ours.admin(command) })
		if err != nil {
			return err
		}
		row("ingot admin "+command+", of all", "%s", duration(took.wall))
	}
	return nil
}

// largeOnes pushes packs of so many objects that bitmaps and graphs are made of them, and fetches from
// all twice.
func (b *bench) largeOnes(k int, row func(what, format string, args ...any)) error {
	h := newTinyHistory("large")
	command, pack := h.next(1500)
	body := pushBody([]string{command}, pack)
	name := func(i int) string { return fmt.Sprintf("large-%06d", i) }
	if err := atOnce(8, k, func(i int) error { _, err := receive(b.ours, name(i), body); return err }); err != nil {
		return err
	}
	time.Sleep(settling)
	most := held{}
	for range 2 {
		err := atOnce(8, k, func(i int) error {
			if err := h.fetch(b.ours, name(i)); err != nil || i%50 > 0 {
				return err
			}
			now, err := b.ours.held()
			most = most.max(now)
			return err
		})
		if err != nil {
			return err
		}
	}
	row(fmt.Sprintf("most while %d with bitmaps are fetched from, twice", k), "%s", most)
	return nil
}

// atOnce calls do for 0 to n-1, several at a time, until one fails.
func atOnce(workers, n int, do func(i int) error) error {
	var all sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		all.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				errs[w] = do(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// make makes an empty repository.
func (s *ingotServer) make(name string) error {
	req, err := http.NewRequest("POST", "http://"+s.address+"/api/v3/user/repos", strings.NewReader(fmt.Sprintf(`{"name":%q}`, name)))
	if err != nil {
		return err
	}
	req.SetBasicAuth("x", s.secret)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusCreated {
		err = fmt.Errorf("making %s: %s: %.300s", name, res.Status, text)
	}
	return err
}

// databaseBytes is the size of the database with its log.
func (s *ingotServer) databaseBytes() (sum int64, err error) {
	files, err := filepath.Glob(filepath.Join(s.data, "ingot.db*"))
	for _, file := range files {
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, err
}

// held is what a server holds of the machine.
type held struct {
	memory, descriptors, mappings, goroutines int64
}

func (h held) String() string {
	return fmt.Sprintf("%.0f MB of its own, %d descriptors, %d files mapped, %d goroutines", float64(h.memory)/1e6, h.descriptors, h.mappings, h.goroutines)
}

func (h held) max(o held) held {
	return held{max(h.memory, o.memory), max(h.descriptors, o.descriptors), max(h.mappings, o.mappings), max(h.goroutines, o.goroutines)}
}

func (s *ingotServer) held() (held, error) {
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	descriptors, err := os.ReadDir(proc + "fd")
	if err != nil {
		return held{}, err
	}
	maps, err := os.ReadFile(proc + "maps")
	if err != nil {
		return held{}, err
	}
	res, err := http.Get("http://" + s.debug + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return held{}, err
	}
	defer res.Body.Close()
	profile, err := io.ReadAll(res.Body)
	if err != nil {
		return held{}, err
	}
	first, _, _ := strings.Cut(string(profile), "\n") // "goroutine profile: total 12"
	goroutines, err := strconv.ParseInt(first[strings.LastIndexByte(first, ' ')+1:], 10, 64)
	return held{memory: s.memory(), descriptors: int64(len(descriptors)), goroutines: goroutines,
		mappings: int64(bytes.Count(maps, []byte("/packs/")))}, err
}

// tinyHistory makes commits of a repository of its own, without a process for each.
type tinyHistory struct {
	name string
	tip  string
	old  string // the tip before
}

func newTinyHistory(name string) *tinyHistory { return &tinyHistory{name: name, tip: zeroID} }

// next returns the push command and the pack of one more commit, whose tree has so many
// new files.
func (h *tinyHistory) next(files int) (command string, pack []byte) {
	var entries [][]byte
	var tree []byte
	for i := range files {
		noise := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", h.name, h.tip, i))
		blob := fmt.Appendf(nil, "%x\n", noise)
		id := objectID("blob", blob)
		tree = append(fmt.Appendf(tree, "100644 file-%06d\x00", i), id[:]...)
		entries = append(entries, packEntry(3, blob, nil))
	}
	commit := fmt.Appendf(nil, "tree %x\n", objectID("tree", tree))
	if h.tip != zeroID {
		commit = fmt.Appendf(commit, "parent %s\n", h.tip)
	}
	commit = append(commit, "author A <a@example.org> 1900000000 +0000\ncommitter A <a@example.org> 1900000000 +0000\n\none more\n"...)
	entries = append(entries, packEntry(2, tree, nil), packEntry(1, commit, nil))
	id := objectID("commit", commit)
	h.old, h.tip = h.tip, hex.EncodeToString(id[:])
	return h.old + " " + h.tip + " refs/heads/main", packOf(entries)
}

func (h *tinyHistory) push(s server, repo string) error {
	command, pack := h.next(3)
	_, err := receive(s, repo, pushBody([]string{command}, pack))
	return err
}

// fetch fetches the last commit.
func (h *tinyHistory) fetch(s server, repo string) error {
	lines := []string{"want " + h.tip}
	if h.old != zeroID {
		lines = append(lines, "have "+h.old)
	}
	_, err := upload(s, repo, fetchBody(nil, append(lines, "done")...))
	return err
}

// measure pushes and fetches again and again.
func (h *tinyHistory) measure(s server, repo string) (push, fetch figure, err error) {
	push, err = repeated(s, func(int) (int64, error) { return 0, h.push(s, repo) })
	if err == nil {
		fetch, err = repeated(s, func(int) (int64, error) { return 0, h.fetch(s, repo) })
	}
	return push, fetch, err
}
