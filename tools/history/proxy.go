package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// release is one version of a module in the go command's module cache.
type release struct {
	Version string
	Error   string // why the proxy does not hand it out; then the rest is empty
	Info    string // file with the version and its time
	Dir     string // the module's files

	time time.Time
}

// list returns the names of the releases to take, the oldest first.
func list(ctx context.Context, module, from string, versions int) ([]string, error) {
	// -retracted: releases that were taken back count too, and then the go
	// command does not need the newest release, which may be refused.
	out, err := goCommand(ctx, "list", "-m", "-versions", "-retracted", "-json=Versions", module)
	if err != nil {
		return nil, fmt.Errorf("%s: listing its versions: %w", module, err)
	}
	var listed struct{ Versions []string }
	if err := json.Unmarshal(out, &listed); err != nil {
		return nil, fmt.Errorf("%s: reading the list of its versions: %w", module, err)
	}
	names := listed.Versions
	if from != "" {
		i := slices.Index(names, from)
		if i < 0 {
			return nil, fmt.Errorf("%s %s: no such version; there are %s", module, from, strings.Join(names, " "))
		}
		names = names[i:]
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: the proxy knows no version of it", module)
	}
	return names[:min(versions, len(names))], nil
}

// download brings the releases into the module cache, several at a time, and
// returns one for each name, in that order.
func download(ctx context.Context, module string, names []string) ([]release, error) {
	args := []string{"mod", "download", "-json"}
	for _, name := range names {
		args = append(args, module+"@"+name)
	}
	// It fails when any release can't be had, and says which in the output.
	out, failed := goCommand(ctx, args...)
	byName := map[string]release{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var r release
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: reading what was downloaded: %w", module, err)
		}
		byName[r.Version] = r
	}
	releases := make([]release, 0, len(names))
	for _, name := range names {
		r, ok := byName[name]
		switch {
		case !ok && failed != nil:
			return nil, fmt.Errorf("%s %s: %w", module, name, failed)
		case !ok:
			return nil, fmt.Errorf("%s %s: go mod download does not mention it", module, name)
		case r.Error != "" && !refused(r.Error):
			return nil, fmt.Errorf("%s %s: %s", module, name, r.Error)
		case r.Error == "":
			if err := r.readTime(); err != nil {
				return nil, fmt.Errorf("%s %s: %w", module, name, err)
			}
		}
		releases = append(releases, r)
	}
	return releases, nil
}

// refused reports whether the proxy answered that it does not hand a release
// out, as opposed to not answering, or with something broken.
func refused(message string) bool {
	return strings.Contains(message, ": 403 ") || strings.Contains(message, ": 404 ") || strings.Contains(message, ": 410 ")
}

func (r *release) readTime() error {
	content, err := os.ReadFile(r.Info)
	if err != nil {
		return err
	}
	var info struct{ Time time.Time }
	if err := json.Unmarshal(content, &info); err != nil {
		return fmt.Errorf("%s: %w", r.Info, err)
	}
	if r.time = info.Time; r.time.Unix() < 0 {
		r.time = time.Unix(0, 0) // no time given: git can't date it before the epoch
	}
	return nil
}

// goCommand runs the go command outside any module, so that none is changed,
// and without its way past a proxy that refuses, which is to clone the module
// from where it is at home.
func goCommand(ctx context.Context, args ...string) ([]byte, error) {
	proxy, err := output(exec.CommandContext(ctx, "go", "env", "GOPROXY"))
	if err != nil {
		return nil, err
	}
	only := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(string(proxy)), ",direct"), "|direct")
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOPROXY="+only, "GO111MODULE=on", "GOWORK=off", "GOFLAGS=")
	return output(cmd)
}

// output runs cmd and returns its standard output, also when it fails.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[:min(3, len(cmd.Args))], " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
