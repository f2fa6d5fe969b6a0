package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"time"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/git"
	"github.com/klauspost/compress/flate"
)

// zipWriter writes a zip file whose members have their sizes in front, as git
// archive does, so that it can be read as a stream.
type zipWriter struct {
	buf     *bufio.Writer
	zip     *zip.Writer
	o       *Options
	flate   *flate.Writer // nil at level 0
	deflate bytes.Buffer
}

func newZip(w io.Writer, o *Options) (*zipWriter, error) {
	buf := bufio.NewWriterSize(w, 64<<10)
	z := &zipWriter{buf: buf, zip: zip.NewWriter(buf), o: o}
	if !o.Commit.IsZero() {
		if err := z.zip.SetComment(o.Objects.Hex(o.Commit)); err != nil {
			return nil, err
		}
	}
	if o.Level == 0 {
		return z, nil
	}
	var err error
	z.flate, err = flate.NewWriter(&z.deflate, o.Level)
	z.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, o.Level) })
	return z, err
}

func (z *zipWriter) add(m *member) error {
	const unix = 3<<8 | 23 // made on Unix: modes count
	t := z.o.Time.UTC()
	h := &zip.FileHeader{
		Name: string(m.path), Method: zip.Store, ReaderVersion: 10,
		Extra: binary.LittleEndian.AppendUint32([]byte{'U', 'T', 5, 0, 1}, uint32(t.Unix())),
		CRC32: crc32.ChecksumIEEE(m.data),
	}
	//lint:ignore SA1019 CreateRaw writes these two and not Modified
	h.ModifiedDate, h.ModifiedTime = dosTime(t)
	if utf8.Valid(m.path) && bytes.ContainsFunc(m.path, func(r rune) bool { return r >= utf8.RuneSelf }) {
		h.Flags = 1 << 11
	}
	body := m.data
	switch {
	case m.mode == git.ModeTree || m.mode == git.ModeSubmodule:
		h.ExternalAttrs = 16 // a directory, as DOS has it
	case m.mode == git.ModeSymlink:
		h.CreatorVersion, h.ExternalAttrs = unix, 0o120777<<16
	default:
		if m.mode&0o111 != 0 {
			h.CreatorVersion, h.ExternalAttrs = unix, 0o100755<<16
		}
		if m.content != nil {
			return z.stream(h, m)
		}
		if small, err := z.compress(body); err != nil {
			return err
		} else if small != nil {
			h.Method, body = zip.Deflate, small
		}
	}
	h.CompressedSize64, h.UncompressedSize64 = uint64(len(body)), uint64(len(m.data))
	w, err := z.zip.CreateRaw(h)
	if err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// stream writes a large file as it is read: what is not known before stands behind it.
func (z *zipWriter) stream(h *zip.FileHeader, m *member) error {
	if z.flate != nil {
		h.Method = zip.Deflate
	}
	h.CRC32 = 0
	w, err := z.zip.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(w, m.content, make([]byte, 64<<10))
	return err
}

// dosTime is a time as zip has it: no zone, two seconds fine, 1980 to 2107.
func dosTime(t time.Time) (date, clock uint16) {
	if year := t.Year(); year < 1980 || year > 2107 {
		return 1<<5 | 1, 0
	}
	return uint16(t.Day() + int(t.Month())<<5 + (t.Year()-1980)<<9), uint16(t.Second()/2 + t.Minute()<<5 + t.Hour()<<11)
}

// compress returns data deflated, or nil if that makes it no smaller.
func (z *zipWriter) compress(data []byte) ([]byte, error) {
	if z.flate == nil || len(data) == 0 {
		return nil, nil
	}
	z.deflate.Reset()
	z.flate.Reset(&z.deflate)
	if _, err := z.flate.Write(data); err != nil {
		return nil, err
	}
	if err := z.flate.Close(); err != nil {
		return nil, err
	}
	if z.deflate.Len() >= len(data) {
		return nil, nil
	}
	return z.deflate.Bytes(), nil
}

func (z *zipWriter) close() error {
	if err := z.zip.Close(); err != nil {
		return err
	}
	return z.buf.Flush()
}
