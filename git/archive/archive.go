// Package archive writes the tree of a commit as a tar, tar.gz or zip file, as
// git archive does: the same members in the same order with the same modes and
// times, and a tar of the same bytes.
//
//   - A directory is a member in front of the first file that lies in it, even if that one is left out; one
//     without files is none. A submodule is an empty directory.
//   - Modes are those of tar.umask=002. All times are Options.Time.
//   - A commit's id is in tar's global pax header and in zip's comment.
//   - The .gitattributes of the tree are applied: export-ignore, export-subst, and what they say of the ends of
//     lines (eol=crlf) and of "$Id$". Filters and encodings of work trees are not.
package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/attributes"
	"github.com/ingot-forge/ingot/git/pathspec"
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
	// Naming is what export-subst tells of the commit besides what is in it.
	Naming Naming
	// Large, unless nil, opens a blob that is too large for memory, to be read as it is written; content is
	// nil if the blob is not, or can only be had whole. A file that attributes change is read whole in any case.
	Large func(ctx context.Context, id git.ID) (size int64, content io.ReadCloser, err error)
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
type PathError = pathspec.Error

// member is one file of an archive. Its path has the prefix, and a slash at the
// end if it is a directory.
type member struct {
	mode git.Mode
	id   git.ID
	path []byte
	data []byte // of a file, or where a symbolic link points
	// content is what a large file is read from instead, size bytes.
	content io.Reader
	size    int64
}

// format writes members of one kind of archive.
type format interface {
	add(m *member) error
	close() error
}

// Write writes the archive of a tree to w. Nothing is written before the paths
// are known to match; other errors leave half an archive behind.
func Write(ctx context.Context, objects git.Objects, tree git.ID, w io.Writer, o Options) error {
	specs, err := pathspec.Parse(o.Paths)
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

// source makes the members of a tree.
type source struct {
	objects    git.Objects
	o          *Options
	attributes *attributes.Tree
	expander   *expander // nil if there is no commit
	left       int64     // bytes
	add        func(*member) error
}

// writeTree gives add all members in order.
func writeTree(ctx context.Context, objects git.Objects, tree git.ID, specs pathspec.Specs, o *Options, add func(*member) error) error {
	s := &source{objects: objects, o: o, attributes: attributes.NewTree(objects, o.Objects, tree), left: o.MaxBytes, add: add}
	if !o.Commit.IsZero() {
		kind, data, err := objects.Object(ctx, o.Commit)
		if err == nil && kind != git.KindCommit {
			err = fmt.Errorf("%w: %s is a %s, not a commit", git.ErrCorrupt, o.Commit, kind)
		}
		if err != nil {
			return err
		}
		commit, err := git.ParseCommit(o.Objects, data)
		if err != nil {
			return err
		}
		s.expander = &expander{ctx: ctx, o: o, commit: commit, grown: o.MaxBytes}
	}
	var pending []member // directories without a member so far
	return walk(ctx, objects, tree, specs, o, func(mode git.Mode, id git.ID, path []byte) error {
		for len(pending) > 0 && !bytes.HasPrefix(path, pending[len(pending)-1].path[len(o.Prefix):]) {
			pending = pending[:len(pending)-1]
		}
		full := append(append(make([]byte, 0, len(o.Prefix)+len(path)+1), o.Prefix...), path...)
		if mode.IsTree() || mode == git.ModeSubmodule {
			full = append(full, '/')
		}
		values, err := s.attributes.Of(ctx, string(full[len(o.Prefix):]))
		if err != nil {
			return err
		}
		ignored := values["export-ignore"].State == attributes.Set
		if mode.IsTree() && ignored {
			return errSkip
		}
		if mode.IsTree() {
			pending = append(pending, member{mode: git.ModeTree, id: id, path: full})
			return nil
		}
		for i := range pending {
			if err := add(&pending[i]); err != nil {
				return err
			}
		}
		pending = pending[:0]
		if ignored {
			return nil // but its directory is there, as git has it
		}
		m := member{mode: mode, id: id, path: full}
		if mode == git.ModeSubmodule {
			return add(&m)
		}
		return s.file(ctx, &m, conversionOf(values))
	})
}

// file reads a file and adds it.
func (s *source) file(ctx context.Context, m *member, how conversion) error {
	regular := m.mode != git.ModeSymlink
	if regular && !how.any() && s.o.Large != nil {
		size, content, err := s.o.Large(ctx, m.id)
		if err != nil {
			return err
		}
		if content != nil {
			defer content.Close()
			if s.left -= size; s.left < 0 {
				return &TooLargeError{What: "bytes", Max: s.o.MaxBytes}
			}
			m.size, m.content = size, &exactReader{content, size, m.id}
			return s.add(m)
		}
	}
	kind, data, err := s.objects.Object(ctx, m.id)
	if err != nil {
		return err
	}
	if kind != git.KindBlob {
		return fmt.Errorf("%w: %s at %.200q is a %s, not a blob", git.ErrCorrupt, m.id, m.path, kind)
	}
	if s.left -= int64(len(data)); s.left < 0 {
		return &TooLargeError{What: "bytes", Max: s.o.MaxBytes}
	}
	m.data = data
	if regular {
		var expand func([]byte) ([]byte, error)
		if s.expander != nil {
			expand = s.expander.expand
		}
		if m.data, err = how.apply(s.o.Objects, m.id, data, expand); err != nil {
			return err
		}
	}
	return s.add(m)
}

// exactReader fails unless what it reads has just the size that was told.
type exactReader struct {
	from io.Reader
	left int64
	id   git.ID
}

func (r *exactReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.left -= int64(n)
	if r.left < 0 || err == io.EOF && r.left > 0 {
		return 0, fmt.Errorf("%w: blob %s has not the size that its header tells", git.ErrCorrupt, r.id)
	}
	return n, err
}
