package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// operation is one thing that both servers are asked to do.
type operation struct {
	name   string
	always bool // later operations need its effect
	once   bool // can't be repeated
	// do asks for it the i-th time.
	do func(s server, i int) (bytes int64, err error)
}

// figure is what one operation came to.
type figure struct {
	wall, cpu time.Duration
	memory    int64 // peak above idle
	bytes     int64 // of the answer
}

func (f figure) String() string {
	round := func(d time.Duration) string {
		if d < 100*time.Millisecond {
			return fmt.Sprintf("%.2f", float64(d.Microseconds())/1e3)
		}
		return fmt.Sprintf("%.0f", float64(d.Microseconds())/1e3)
	}
	return round(f.wall) + " / " + round(f.cpu) + " ms"
}

// measure returns medians of wall time, and CPU time averaged over the rounds
// since its clock is coarse.
func measure(s server, op operation, rounds int) (figure, error) {
	if op.once {
		rounds = 1
	}
	var f figure
	idle, before := s.memory(), s.cpu()
	walls := make([]time.Duration, rounds)
	for i := range rounds {
		start := time.Now()
		n, err := op.do(s, i)
		if err != nil {
			return f, err
		}
		walls[i], f.bytes = time.Since(start), n
	}
	slices.Sort(walls)
	f.wall = walls[rounds/2]
	f.cpu = (s.cpu() - before) / time.Duration(rounds)
	f.memory = s.peak() - idle
	return f, nil
}

func operations(f *fixture) []operation {
	const zero = "0000000000000000000000000000000000000000"
	ops := []operation{
		{name: "push everything", always: true, once: true, do: func(s server, _ int) (int64, error) {
			if err := s.create("all"); err != nil {
				return 0, err
			}
			return receive(s, "all", pushBody([]string{zero + " " + f.tip + " refs/heads/main"}, f.pack))
		}},
		{name: "many refs: push", always: true, once: true, do: func(s server, _ int) (int64, error) {
			if err := s.create("refs"); err != nil {
				return 0, err
			}
			var commands []string
			for i := range manyRefs {
				commands = append(commands, fmt.Sprintf("%s %s refs/heads/branch/%06d", zero, f.tip, i))
			}
			return receive(s, "refs", pushBody(commands, f.pack))
		}},
		{name: "full clone", do: func(s server, _ int) (int64, error) { return upload(s, "all", fetchBody(nil, "want "+f.tip, "done")) }},
		{name: "clone --depth 1", do: func(s server, _ int) (int64, error) {
			return upload(s, "all", fetchBody(nil, "want "+f.tip, "deepen 1", "done"))
		}},
		{name: "clone --filter=blob:none", do: func(s server, _ int) (int64, error) {
			return upload(s, "all", fetchBody(nil, "want "+f.tip, "filter blob:none", "done"))
		}},
		{name: "fetch, nothing new", do: func(s server, _ int) (int64, error) {
			return upload(s, "all", fetchBody(nil, "want "+f.tip, "have "+f.tip, "done"))
		}},
	}
	for _, steps := range []int{1, 10, 100, 1000} {
		if have := f.back[steps]; have != "" {
			ops = append(ops, operation{name: fmt.Sprintf("fetch %d steps", steps), do: func(s server, _ int) (int64, error) {
				return upload(s, "all", fetchBody([]string{"thin-pack"}, "want "+f.tip, "have "+have, "done"))
			}})
		}
	}
	return append(ops,
		operation{name: "ls-refs, one of 50,000", do: func(s server, _ int) (int64, error) {
			return upload(s, "refs", lsRefs("ref-prefix refs/heads/branch/012345"))
		}},
		operation{name: "ls-refs, all 50,000", do: func(s server, _ int) (int64, error) { return upload(s, "refs", lsRefs("ref-prefix refs/")) }},
		operation{name: "v0 advertisement, 50,000", do: func(s server, _ int) (int64, error) {
			return ask(s, "GET", s.url("refs")+"/info/refs?service=git-upload-pack", "", "", nil)
		}},
		operation{name: "push of one commit", do: func(s server, i int) (int64, error) {
			n := f.next[i]
			return receive(s, "all", pushBody([]string{n[0] + " " + n[1] + " refs/heads/main"}, f.thin[i]))
		}},
	)
}

// pkt is one pkt-line.
func pkt(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

func pushBody(commands []string, pack []byte) []byte {
	var b bytes.Buffer
	for i, c := range commands {
		if i == 0 {
			c += "\x00 report-status side-band-64k ofs-delta quiet agent=bench"
		}
		b.WriteString(pkt(c))
	}
	b.WriteString("0000")
	b.Write(pack)
	return b.Bytes()
}

func fetchBody(extra []string, lines ...string) []byte {
	var b bytes.Buffer
	b.WriteString(pkt("command=fetch\n") + pkt("agent=bench\n") + "0001" + pkt("ofs-delta\n") + pkt("no-progress\n"))
	for _, l := range append(extra, lines...) {
		b.WriteString(pkt(l + "\n"))
	}
	b.WriteString("0000")
	return b.Bytes()
}

func lsRefs(lines ...string) []byte {
	var b bytes.Buffer
	b.WriteString(pkt("command=ls-refs\n") + pkt("agent=bench\n") + "0001" + pkt("peel\n") + pkt("symrefs\n"))
	for _, l := range lines {
		b.WriteString(pkt(l + "\n"))
	}
	b.WriteString("0000")
	return b.Bytes()
}

func receive(s server, name string, body []byte) (int64, error) {
	answer, err := exchange(s, "POST", s.url(name)+"/git-receive-pack", "application/x-git-receive-pack-request", "", body)
	if err == nil && (!bytes.Contains(answer, []byte("unpack ok")) || bytes.Contains(answer, []byte("ng refs/"))) {
		err = fmt.Errorf("refused: %.300q", answer)
	}
	return int64(len(answer)), err
}

func upload(s server, name string, body []byte) (int64, error) {
	return ask(s, "POST", s.url(name)+"/git-upload-pack", "application/x-git-upload-pack-request", "version=2", body)
}

// ask sends a request and reads the answer to its end without keeping it.
func ask(s server, method, url, contentType, protocol string, body []byte) (int64, error) {
	res, err := send(s, method, url, contentType, protocol, body)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return io.Copy(io.Discard, res.Body)
}

func exchange(s server, method, url, contentType, protocol string, body []byte) ([]byte, error) {
	res, err := send(s, method, url, contentType, protocol, body)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

func send(s server, method, url, contentType, protocol string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if protocol != "" {
		req.Header.Set("Git-Protocol", protocol)
	}
	if s.token() != "" {
		req.SetBasicAuth("x", s.token())
	}
	res, err := http.DefaultClient.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 300))
		res.Body.Close()
		err = fmt.Errorf("%s: %s: %s", strings.TrimPrefix(url, "http://"), res.Status, text)
	}
	return res, err
}

// indexPack compares taking everything in with git index-pack --stdin --strict,
// which does part of it: no protocol, no connectivity, no refs.
func indexPack(f *fixture, dir string, ours server) error {
	a, err := measure(ours, operation{once: true, do: func(s server, _ int) (int64, error) {
		return receive(s, "again", pushBody([]string{"0000000000000000000000000000000000000000 " + f.tip + " refs/heads/main"}, f.pack))
	}}, 1)
	if err != nil {
		return err
	}
	empty := dir + "/index-pack.git"
	if _, err := gitIn("", nil, "init", "-q", "--bare", empty); err != nil {
		return err
	}
	cmd := exec.Command("git", "-C", empty, "index-pack", "--stdin", "--strict", "--threads=2")
	cmd.Stdin = bytes.NewReader(f.pack)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return err
	}
	b := figure{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	fmt.Printf("%-28s %22s %22s %9.3f %9.3f %12.0f\n", "push / index-pack --strict", a, b,
		a.wall.Seconds()/b.wall.Seconds(), a.cpu.Seconds()/b.cpu.Seconds(), float64(a.memory)/1e6)
	return nil
}
