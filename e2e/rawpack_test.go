package e2e

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Types of pack entries.
const (
	tCommit, tTree, tBlob, tTag, tOfs, tRef = 1, 2, 3, 4, 6, 7
)

const noID = "0000000000000000000000000000000000000000"

// rawPack builds packs without checking anything, so that they can be wrong in
// every way.
type rawPack struct {
	count   int // announced in the header; -1: the number of entries
	entries [][]byte
	tail    []byte // after the trailer
	trailer []byte // instead of the right one
}

func newRawPack() *rawPack { return &rawPack{count: -1} }

// add appends an object that is as it should be and returns its id.
func (p *rawPack) add(kind int, data []byte) string {
	p.raw(kind, int64(len(data)), nil, deflate(data))
	return objectID(kind, data)
}

// raw appends an entry made of whatever is given: declared is the size that its
// header claims, base what stands between header and stream.
func (p *rawPack) raw(kind int, declared int64, base, stream []byte) {
	p.entries = append(p.entries, append(append(entryHeader(kind, uint64(declared)), base...), stream...))
}

// offset is where the next entry will start.
func (p *rawPack) offset() int64 {
	n := int64(12)
	for _, e := range p.entries {
		n += int64(len(e))
	}
	return n
}

func (p *rawPack) bytes() []byte {
	n := p.count
	if n < 0 {
		n = len(p.entries)
	}
	out := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(n))
	for _, e := range p.entries {
		out = append(out, e...)
	}
	if p.trailer != nil {
		out = append(out, p.trailer...)
	} else {
		sum := sha1.Sum(out)
		out = append(out, sum[:]...)
	}
	return append(out, p.tail...)
}

func entryHeader(kind int, size uint64) []byte {
	b := byte(kind<<4) | byte(size&15)
	size >>= 4
	var out []byte
	for size > 0 {
		out = append(out, b|0x80)
		b = byte(size & 0x7f)
		size >>= 7
	}
	return append(out, b)
}

// ofs encodes a distance back as an OFS_DELTA has it.
func ofs(n int64) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{byte(n&0x7f) | 0x80}, out...)
	}
	return out
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	z := writers.Get().(*zlib.Writer)
	defer writers.Put(z)
	z.Reset(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// writers are kept: a new one costs a megabyte.
var writers = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// bomb is the stream of size zero bytes.
func bomb(size int64) []byte {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, 9)
	io.CopyN(z, zeros{}, size)
	z.Close()
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func objectID(kind int, data []byte) string {
	name := map[int]string{tCommit: "commit", tTree: "tree", tBlob: "blob", tTag: "tag"}[kind]
	sum := sha1.Sum(append(fmt.Appendf(nil, "%s %d\x00", name, len(data)), data...))
	return hex.EncodeToString(sum[:])
}

func rawID(id string) []byte {
	b, err := hex.DecodeString(id)
	if err != nil {
		panic(err)
	}
	return b
}

// treeEntry is one line of a tree, as written as given.
func treeEntry(mode, name, id string) []byte {
	return append([]byte(mode+" "+name+"\x00"), rawID(id)...)
}

const someone = "A U Thor <author@example.org> 1700000000 +0000"

func commitOf(tree string, more ...string) []byte {
	return []byte("tree " + tree + "\n" + strings.Join(more, "") + "author " + someone + "\ncommitter " + someone + "\n\nmessage\n")
}

func pkt(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

// pushRequest is the body of a push of commands ("old new ref") with a pack.
func pushRequest(capabilities string, commands []string, pack []byte) []byte {
	var b bytes.Buffer
	for i, c := range commands {
		if i == 0 {
			c += "\x00" + capabilities
		}
		b.WriteString(pkt(c))
	}
	b.WriteString("0000")
	b.Write(pack)
	return b.Bytes()
}

// post sends a request of the git protocol and returns status and answer. It
// fails the test if that takes longer than a refusal may.
func (s *server) post(t testing.TB, token, path, service string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url("", path)+"/"+service, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-"+service+"-request")
	if token != "" {
		req.SetBasicAuth("x", token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	start := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		// A server that refuses early may close while we still send.
		return 0, err.Error()
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		answer = append(answer, err.Error()...)
	}
	if took := time.Since(start); took > refusalTime {
		t.Errorf("the answer took %v", took)
	}
	return res.StatusCode, string(answer)
}

// refusalTime is how long a hostile request may keep the server busy.
const refusalTime = 10 * time.Second
