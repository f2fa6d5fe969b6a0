// Package archive writes the tree of a commit as a tar, tar.gz or zip file, as
// git archive does: the same members in the same order with the same modes and
// times, and a tar of the same bytes.
//
//   - A directory is a member in front of the first one that lies in it; one
//     without files is none. A submodule is an empty directory.
//   - Modes are those of tar.umask=002. All times are Options.Time.
//   - A commit's id is in tar's global pax header and in zip's comment.
//
// The attributes export-ignore and export-subst are not applied.
package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// Format is a kind of archive.
type Format string

const (
	Tar   Format = "tar"
	TarGz Format = "tar.gz"
	Zip   Format = "zip"
)

// Names are the names under which git archive knows the formats, in its order.
var Names = []string{"tar", "tgz", "tar.gz", "zip"}

// ParseFormat returns the format of one of Names.
func ParseFormat(name string) (Format, error) {
	switch name {
	case "tar", "tar.gz", "zip":
		return Format(name), nil
	case "tgz":
		return TarGz, nil
	}
	return "", fmt.Errorf("unknown archive format %.40q", name)
}

// DefaultLevel is the level of compression if none is chosen.
const DefaultLevel = 6

// Options say what an archive is to be like.
type Options struct {
	Format  Format
	Objects git.Format // of the ids
	Prefix  string     // put before every path; one that ends in a slash is a member itself
	Paths   []string   // pathspecs: files, directories, or globs; none means everything
	Level   int        // of compression, 0 to 9; zip and tar.gz
	Commit  git.ID     // the commit whose tree it is; zero if there is none
	Time    time.Time  // of all members: the commit's
	// MaxEntries bounds the members, and the entries of trees that are looked
	// through for Paths; MaxBytes bounds their content. Small trees can name
	// themselves a billion times, so both must be set.
	MaxEntries int
	MaxBytes   int64
	// Visit hears the path of each member; may be nil.
	Visit func(path string)
}

const (
	// maxDepth bounds how deep directories lie in each other.
	maxDepth = 4096
	// maxPath bounds the length of a path.
	maxPath = 64 << 10
)

// TooLargeError says that an archive would break a limit.
type TooLargeError struct {
	What string // "entries", "bytes", "directories in each other", "bytes in a path"
	Max  int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("archive is too large: more than %d %s", e.Max, e.What)
}

// PathError says what is wrong with a pathspec.
type PathError struct{ Path, Fault string }

func (e *PathError) Error() string { return fmt.Sprintf("pathspec %.200q %s", e.Path, e.Fault) }

// member is one file of an archive. Its path has the prefix, and a slash at the
// end if it is a directory.
type member struct {
	mode git.Mode
	id   git.ID
	path []byte
	data []byte // of a file, or where a symbolic link points
}

// format writes members of one kind of archive.
type format interface {
	add(m *member) error
	close() error
}

// Write writes the archive of a tree to w. Nothing is written before the paths
// are known to match; other errors leave half an archive behind.
func Write(ctx context.Context, objects git.Objects, tree git.ID, w io.Writer, o Options) error {
	specs, err := parseSpecs(o.Paths)
	if err != nil {
		return err
	}
	if len(specs) > 0 {
		if err := checkMatches(ctx, objects, tree, specs, &o); err != nil {
			return err
		}
	}
	var out format
	switch o.Format {
	case Tar:
		out, err = newTar(w, &o)
	case TarGz:
		out, err = newTarGz(w, &o)
	case Zip:
		out, err = newZip(w, &o)
	default:
		err = fmt.Errorf("unknown archive format %.40q", o.Format)
	}
	if err != nil {
		return err
	}
	add := func(m *member) error {
		if o.Visit != nil {
			o.Visit(string(m.path))
		}
		return out.add(m)
	}
	if base := []byte(o.Prefix); bytes.HasSuffix(base, []byte{'/'}) {
		base = append(bytes.TrimRight(base, "/"), '/')
		if err := add(&member{mode: git.ModeTree, id: tree, path: base}); err != nil {
			return err
		}
	}
	if err := writeTree(ctx, objects, tree, specs, &o, add); err != nil {
		return err
	}
	return out.close()
}

// writeTree gives add all members in order.
func writeTree(ctx context.Context, objects git.Objects, tree git.ID, specs []spec, o *Options, add func(*member) error) error {
	left := o.MaxBytes
	var pending []member // directories without a member so far
	return walk(ctx, objects, tree, specs, o, func(mode git.Mode, id git.ID, path []byte) error {
		for len(pending) > 0 && !bytes.HasPrefix(path, pending[len(pending)-1].path[len(o.Prefix):]) {
			pending = pending[:len(pending)-1]
		}
		full := append(append(make([]byte, 0, len(o.Prefix)+len(path)+1), o.Prefix...), path...)
		if mode == git.ModeTree {
			pending = append(pending, member{mode: mode, id: id, path: append(full, '/')})
			return nil
		}
		for i := range pending {
			if err := add(&pending[i]); err != nil {
				return err
			}
		}
		pending = pending[:0]
		m := member{mode: mode, id: id, path: full}
		if mode == git.ModeSubmodule {
			m.path = append(m.path, '/')
			return add(&m)
		}
		kind, data, err := objects.Object(ctx, id)
		if err != nil {
			return err
		}
		if kind != git.KindBlob {
			return fmt.Errorf("%w: %s at %.200q is a %s, not a blob", git.ErrCorrupt, id, path, kind)
		}
		if left -= int64(len(data)); left < 0 {
			return &TooLargeError{What: "bytes", Max: o.MaxBytes}
		}
		m.data = data
		return add(&m)
	})
}
