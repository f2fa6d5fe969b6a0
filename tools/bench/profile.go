package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profileSeconds is how long an operation is repeated while the CPU is looked at.
const profileSeconds = 8

// profiled repeats one operation and keeps the server's profiles of it.
func (b *bench) profiled() error {
	out := filepath.Join(".cache", "profiles")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	do, err := b.profiledOperation()
	if err != nil {
		return err
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := do(i); err != nil {
				stopped <- err
				return
			}
		}
	}()
	name := strings.NewReplacer(" ", "-", ":", "-", "=", "-", ",", "").Replace(b.profile)
	err = b.keepProfile(fmt.Sprintf("profile?seconds=%d", profileSeconds), filepath.Join(out, name+".cpu.pprof"))
	if err == nil {
		err = b.keepProfile("allocs", filepath.Join(out, name+".allocs.pprof"))
	}
	close(stop)
	select {
	case failed := <-stopped:
		err = errors.Join(err, failed)
	case <-time.After(time.Minute):
	}
	return err
}

// profiledOperation finds the operation by the start of its name: a fetch of the table, or push.
func (b *bench) profiledOperation() (func(i int) error, error) {
	f := b.f
	switch b.profile {
	case "push":
		body := pushBody([]string{zeroID + " " + f.tip + " refs/heads/main"}, f.pack)
		return func(i int) error { _, err := receive(b.ours, fmt.Sprint("profile-", i), body); return err }, nil
	case "small push":
		if err := b.fill(); err != nil {
			return nil, err
		}
		commits := newCommits(f)
		return func(int) error { return commits.push(b.ours, "all") }, nil
	}
	if err := b.fill(); err != nil {
		return nil, err
	}
	// Each request is about other commits than the one before, so that it is
	// computed and not remembered.
	from := func(i, steps int) (want, have string) {
		i %= max(1, min(b.rounds, len(f.line)-steps))
		return f.line[i], f.line[i+steps]
	}
	var names []string
	for _, op := range b.fetches() {
		names = append(names, op.name)
		if op.name != b.profile && !strings.Contains(op.name, b.profile) {
			continue
		}
		return func(i int) error {
			want, have := from(i, op.steps)
			_, err := upload(b.ours, "all", op.body(want, have))
			return err
		}, nil
	}
	return nil, fmt.Errorf("no operation %q; there are push, small push, %s", b.profile, strings.Join(names, ", "))
}

func (b *bench) keepProfile(which, file string) error {
	res, err := http.Get("http://" + b.ours.debug + "/debug/pprof/" + which)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", which, res.Status)
	}
	if err == nil {
		err = writeFile(file, data)
	}
	if err == nil {
		fmt.Println("wrote", file, "- look at it with: go tool pprof -top", file)
	}
	return err
}

func writeFile(name string, data []byte) error { return os.WriteFile(name, data, 0o644) }
