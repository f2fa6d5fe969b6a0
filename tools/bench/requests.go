package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const zeroID = "0000000000000000000000000000000000000000"

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
	res, err := send(s, "POST", s.url(name)+"/git-receive-pack", "application/x-git-receive-pack-request", "", body)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
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
	return drain(res.Body)
}

// drain reads to the end in pieces so large that reading costs little.
func drain(r io.Reader) (n int64, err error) {
	buffer := make([]byte, 1<<20)
	for {
		got, err := r.Read(buffer)
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
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
	res, err := client.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 300))
		res.Body.Close()
		err = fmt.Errorf("%s: %s: %s", strings.TrimPrefix(url, "http://"), res.Status, text)
	}
	return res, err
}

// client reads through a buffer that a whole frame fits in, so that the
// client's system calls are not what is measured.
var client = &http.Client{Transport: &http.Transport{ReadBufferSize: 256 << 10, MaxIdleConnsPerHost: 64, DisableCompression: true}}
