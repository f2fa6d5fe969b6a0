package archive

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/ingot-forge/ingot/git"
	"github.com/klauspost/compress/flate"
)

const (
	record = 512
	// block is the unit that a tar file is a multiple of.
	block = 20 * record
	// maxOctal is the largest number in the eleven octal digits of size and time.
	maxOctal = 1<<33 - 1
)

// tarWriter writes ustar with pax headers, the way git archive does.
type tarWriter struct {
	w       io.Writer
	format  git.Format
	seconds int64
	buf     []byte
	written int64
	err     error
}

func newTar(w io.Writer, o *Options) (*tarWriter, error) {
	t := &tarWriter{w: w, format: o.Objects, seconds: max(o.Time.Unix(), 0)}
	var global []byte
	if !o.Commit.IsZero() {
		global = appendPax(global, "comment", []byte(o.Objects.Hex(o.Commit)))
	}
	if t.seconds > maxOctal {
		global = appendPax(global, "mtime", strconv.AppendInt(nil, t.seconds, 10))
		t.seconds = maxOctal
	}
	if len(global) > 0 {
		t.header(&ustar{kind: 'g', name: []byte("pax_global_header"), mode: 0o666, size: int64(len(global))})
		t.content(global)
	}
	return t, t.err
}

// ustar is what differs from member to member in a header.
type ustar struct {
	kind               byte
	name, prefix, link []byte
	mode               uint32
	size               int64
}

func (t *tarWriter) add(m *member) error {
	h := ustar{kind: '0', size: int64(len(m.data))}
	if m.content != nil {
		h.size = m.size
	}
	var pax []byte
	switch {
	case m.mode == git.ModeTree || m.mode == git.ModeSubmodule:
		h.kind, h.mode, h.size = '5', 0o775, 0
	case m.mode == git.ModeSymlink:
		h.kind, h.mode, h.size, h.link = '2', 0o777, 0, m.data
	case m.mode&0o100 != 0:
		h.mode = 0o775
	default:
		h.mode = 0o664
	}
	h.name = m.path
	if len(m.path) > 100 {
		at := split(m.path)
		if at > 0 && len(m.path)-at-1 <= 100 {
			h.prefix, h.name = m.path[:at], m.path[at+1:]
		} else {
			h.name = []byte(t.format.Hex(m.id) + ".data")
			pax = appendPax(pax, "path", m.path)
		}
	}
	if len(h.link) > 100 {
		h.link = []byte("see " + t.format.Hex(m.id) + ".paxheader")
		pax = appendPax(pax, "linkpath", m.data)
	}
	if h.size > maxOctal {
		pax = appendPax(pax, "size", strconv.AppendInt(nil, h.size, 10))
		h.size = 0
	}
	if len(pax) > 0 {
		t.header(&ustar{kind: 'x', name: []byte(t.format.Hex(m.id) + ".paxheader"), mode: 0o666, size: int64(len(pax))})
		t.content(pax)
	}
	t.header(&h)
	switch {
	case m.content != nil:
		return t.stream(m)
	case h.kind == '0':
		t.content(m.data)
	}
	return t.err
}

// stream writes a large file as it is read.
func (t *tarWriter) stream(m *member) error {
	buf := make([]byte, 64<<10)
	for t.err == nil {
		n, err := m.content.Read(buf)
		t.put(buf[:n])
		if err == io.EOF {
			t.pad(m.size)
			break
		}
		if err != nil {
			return err
		}
	}
	return t.err
}

// split returns where a long path is cut into prefix and name: at its last slash that leaves
// a prefix of at most 155 bytes, not counting one at the end.
func split(path []byte) int {
	i := len(path)
	if i > 1 && path[i-1] == '/' {
		i--
	}
	return max(bytes.LastIndexByte(path[:min(i, 155)], '/'), 0)
}

// appendPax appends a record of an extended header: its length counts itself.
func appendPax(dst []byte, key string, value []byte) []byte {
	rest := len(key) + len(value) + 3
	n := rest + 1
	for n != rest+len(strconv.Itoa(n)) {
		n = rest + len(strconv.Itoa(n))
	}
	dst = fmt.Appendf(dst, "%d %s=", n, key)
	return append(append(dst, value...), '\n')
}

func (t *tarWriter) header(h *ustar) {
	var b [record]byte
	octal := func(at, digits int, n int64) { copy(b[at:], fmt.Sprintf("%0*o", digits, n)) }
	copy(b[0:100], h.name)
	octal(100, 7, int64(h.mode))
	octal(108, 7, 0)
	octal(116, 7, 0)
	octal(124, 11, h.size)
	octal(136, 11, t.seconds)
	copy(b[148:], "        ")
	b[156] = h.kind
	copy(b[157:257], h.link)
	copy(b[257:], "ustar\x0000root")
	copy(b[297:], "root")
	octal(329, 7, 0)
	octal(337, 7, 0)
	copy(b[345:500], h.prefix)
	sum := int64(0)
	for _, c := range b {
		sum += int64(c)
	}
	octal(148, 7, sum)
	b[155] = 0
	t.put(b[:])
}

// content writes data padded to whole records.
func (t *tarWriter) content(data []byte) {
	t.put(data)
	t.pad(int64(len(data)))
}

// pad fills up the last record of a content.
func (t *tarWriter) pad(size int64) {
	var pad [record]byte
	t.put(pad[:(record-size%record)%record])
}

func (t *tarWriter) put(p []byte) {
	t.written += int64(len(p))
	t.buf = append(t.buf, p...)
	if len(t.buf) >= 4*block {
		t.send()
	}
}

func (t *tarWriter) send() {
	if t.err == nil {
		_, t.err = t.w.Write(t.buf)
	}
	t.buf = t.buf[:0]
}

// close ends the file with at least two empty records, in whole blocks.
func (t *tarWriter) close() error {
	tail := block - t.written%block
	if tail < 2*record {
		tail += block
	}
	t.put(make([]byte, tail))
	t.send()
	return t.err
}

// gzipWriter is a tarWriter whose output is compressed.
type gzipWriter struct {
	*tarWriter
	out   io.Writer
	flate *flate.Writer
	crc   uint32
	size  uint32
}

func newTarGz(w io.Writer, o *Options) (*gzipWriter, error) {
	// The header of gzip -n: no name and no time, so that equal trees make equal files.
	if _, err := w.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}); err != nil {
		return nil, err
	}
	z, err := flate.NewWriter(w, o.Level)
	if err != nil {
		return nil, err
	}
	g := &gzipWriter{out: w, flate: z}
	g.tarWriter, err = newTar(g, o)
	return g, err
}

// Write takes what the tarWriter writes.
func (g *gzipWriter) Write(p []byte) (int, error) {
	g.crc = crc32.Update(g.crc, crc32.IEEETable, p)
	g.size += uint32(len(p))
	return g.flate.Write(p)
}

func (g *gzipWriter) close() error {
	if err := g.tarWriter.close(); err != nil {
		return err
	}
	if err := g.flate.Close(); err != nil {
		return err
	}
	var end []byte
	for _, n := range []uint32{g.crc, g.size} {
		end = append(end, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	_, err := g.out.Write(end)
	return err
}
