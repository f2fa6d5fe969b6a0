package code

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/diff"
)

// appendMailed appends the patch of a file as git am takes it: a binary file is there
// whole, before and after, since the text says only that it differs. Git may write the same as
// a delta.
func (c *Changes) appendMailed(ctx context.Context, dst []byte, change diff.Change) ([]byte, error) {
	v, o := c.view, c.view.diffOptions()
	o.Abbrev = v.abbrev
	compared, err := diff.Compare(ctx, v.snap, v.Format, change, o)
	if err != nil {
		return nil, err
	}
	if !compared.Binary || compared.Same || change.Status == diff.Retyped {
		return diff.AppendPatch(ctx, v.snap, v.Format, dst, change, o)
	}
	if compared.OldBytes+compared.NewBytes > MaxDiff {
		return nil, errTooLarge()
	}
	o.Abbrev = nil // a reader needs whole ids to check
	dst = compared.AppendPatch(v.Format, dst, o)
	dst = dst[:bytes.LastIndexByte(dst[:len(dst)-1], '\n')+1] // without "Binary files … differ"
	dst = append(dst, "GIT binary patch\n"...)
	for _, side := range []diff.Side{change.New, change.Old} {
		if dst, err = v.appendLiteral(ctx, dst, side); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (v *View) appendLiteral(ctx context.Context, dst []byte, side diff.Side) ([]byte, error) {
	var data []byte
	if side.Exists() && side.Mode != git.ModeSubmodule {
		var err error
		if _, data, err = v.snap.Object(ctx, side.ID); err != nil {
			return nil, err
		}
	}
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	dst = fmt.Appendf(dst, "literal %d\n", len(data))
	for line := range bytes85(packed.Bytes()) {
		dst = append85(dst, line)
	}
	return append(dst, '\n'), nil
}

const (
	lineBytes  = 52 // that one line encodes
	alphabet85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
)

// bytes85 yields what each line encodes.
func bytes85(data []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			n := min(lineBytes, len(data))
			if !yield(data[:n]) {
				return
			}
			data = data[n:]
		}
	}
}

// append85 appends a line: its length as a letter, and five characters for each four bytes.
func append85(dst, line []byte) []byte {
	length := byte('A' + len(line) - 1)
	if len(line) > 26 {
		length = byte('a' + len(line) - 27)
	}
	dst = append(dst, length)
	for at := 0; at < len(line); at += 4 {
		var four uint32
		for i := range 4 {
			four <<= 8
			if at+i < len(line) {
				four |= uint32(line[at+i])
			}
		}
		var five [5]byte
		for i := 4; i >= 0; i-- {
			five[i] = alphabet85[four%85]
			four /= 85
		}
		dst = append(dst, five[:]...)
	}
	return append(dst, '\n')
}
