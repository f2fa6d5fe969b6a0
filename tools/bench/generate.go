package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
)

// generate makes a history of so many commits over some hundred files through
// fast-import.
func generate(dir string, commits int) error {
	if _, err := gitIn("", nil, "init", "-q", "-b", "main", dir); err != nil {
		return err
	}
	cmd := exec.Command("git", "-C", dir, "fast-import", "--quiet", "--force")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(in, 1<<20)
	writeHistory(out, commits)
	if err := out.Flush(); err != nil {
		return err
	}
	in.Close()
	return cmd.Wait()
}

func writeHistory(w io.Writer, commits int) {
	const line = "a line of text that is in many files, number "
	files := map[int][]int{}
	seed := uint64(42)
	random := func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % n
	}
	var content bytes.Buffer
	for commit := range commits {
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter A U Thor <a@example.org> %d +0000\ndata 9\ncommit %02d\n", 1600000000+60*commit, commit%100)
		for range 1 + random(3) {
			n := random(600)
			if files[n] == nil {
				files[n] = make([]int, 5+random(60))
			}
			files[n][random(len(files[n]))] = commit
			content.Reset()
			for i, v := range files[n] {
				fmt.Fprintf(&content, "%s%d.%d\n", line, i, v)
			}
			fmt.Fprintf(w, "M 100644 inline d%d/e%d/f%d.txt\ndata %d\n%s\n", n%7, n%31, n, content.Len(), content.Bytes())
		}
	}
}
