package code

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/treepath"
)

// MaxChanges bounds the files of one commit or tree that is made.
const MaxChanges = 10_000

// maxTouched bounds the entries of all directories that one commit or tree rewrites.
const maxTouched = 1 << 20

// Change is what becomes of one path.
type Change struct {
	Path   string
	Delete bool
	// Content is the file's new content, unless Object names a stored one.
	Content []byte
	Object  git.ID
	// Mode is one that git writes; 0 keeps that of the file, ModeBlob if it is new.
	Mode git.Mode
	// Was, unless nil, is the blob that has to be there before: the zero id for nothing.
	Was *git.ID
}

// builder makes objects on top of a view.
type builder struct {
	view    *View
	hasher  *git.Hasher
	objects git.Memory
	folders map[string]*folder
	touched int
}

// folder is a directory in the making.
type folder struct {
	path    string
	entries map[string]git.Entry
}

func newBuilder(v *View) *builder {
	return &builder{view: v, hasher: git.NewHasher(v.Format), objects: git.Memory{}, folders: map[string]*folder{}}
}

func (b *builder) add(kind git.Kind, data []byte) (git.ID, error) {
	id, err := b.hasher.Hash(kind, data)
	if errors.Is(err, git.ErrCollision) {
		return id, forge.Invalidf("content", forge.CodeInvalid, "Content bears the marks of a SHA-1 collision attack")
	}
	if err != nil {
		return id, err
	}
	o := b.objects[id]
	o.Kind, o.Data = kind, data
	b.objects[id] = o
	return id, nil
}

// tree makes the tree that changes make of another; the zero id is the empty one.
// Deletions come first, so that a directory may take the place of a file.
func (b *builder) tree(ctx context.Context, base git.ID, changes []Change) (git.ID, error) {
	if len(changes) > MaxChanges {
		return git.ID{}, forge.Invalidf("files", forge.CodeInvalid, "More than %d files at once", MaxChanges)
	}
	seen := map[string]bool{}
	for i := range changes {
		path := changes[i].Path
		if err := CheckPath(path); err != nil {
			return git.ID{}, err
		}
		if seen[path] {
			return git.ID{}, badPath(path, "is there twice")
		}
		seen[path] = true
	}
	if err := b.checkNamed(ctx, changes); err != nil {
		return git.ID{}, err
	}
	if _, err := b.load(ctx, "", base); err != nil {
		return git.ID{}, err
	}
	for _, deletes := range []bool{true, false} {
		for i := range changes {
			if c := &changes[i]; c.Delete == deletes {
				if err := b.apply(ctx, c); err != nil {
					return git.ID{}, err
				}
			}
		}
		if deletes {
			b.prune()
		}
	}
	return b.write()
}

// checkNamed refuses ids that the actor may not know, all in one question.
func (b *builder) checkNamed(ctx context.Context, changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if c.Delete || c.Object.IsZero() || c.Mode == git.ModeSubmodule {
			continue
		}
		want := git.KindBlob
		if c.Mode == git.ModeTree {
			want = git.KindTree
		}
		_, err := b.view.Size(ctx, c.Object, want)
		if forge.KindOf(err) == forge.NotFound {
			return forge.Invalidf("tree", forge.CodeInvalid, "sha %s of %q is not a %s of this repository", b.view.Hex(c.Object), c.Path, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) apply(ctx context.Context, c *Change) error {
	dir, name := split(c.Path)
	f, err := b.open(ctx, dir, c.Delete)
	if err != nil {
		return err
	}
	was, there := f.entries[name]
	if c.Was != nil && (there != !c.Was.IsZero() || there && was.ID != *c.Was) {
		return &StaleError{Path: c.Path, Want: *c.Was, Is: was.ID}
	}
	if c.Delete {
		if !there {
			return badPath(c.Path, "does not exist")
		}
		delete(f.entries, name)
		return nil
	}
	if _, opened := b.folders[c.Path]; opened || there && was.Mode.IsTree() != (c.Mode == git.ModeTree) {
		return badPath(c.Path, "is a directory, or is to be one")
	}
	mode, id := c.Mode, c.Object
	if mode == 0 {
		if mode = git.ModeBlob; there {
			mode = treepath.Mode(was.Mode)
		}
		if mode == git.ModeSubmodule {
			return badPath(c.Path, "is a submodule")
		}
	}
	if id.IsZero() {
		if id, err = b.add(git.KindBlob, c.Content); err != nil {
			return err
		}
	}
	f.entries[name] = git.Entry{Mode: mode, Name: name, ID: id}
	return nil
}

// open returns a directory in the making, and makes it unless only existing ones are asked for.
func (b *builder) open(ctx context.Context, path string, existing bool) (*folder, error) {
	if f := b.folders[path]; f != nil {
		return f, nil
	}
	above := b.folders[""]
	for at := 0; at < len(path); {
		end := strings.IndexByte(path[at:], '/')
		if end < 0 {
			end = len(path) - at
		}
		name, full := path[at:at+end], path[:at+end]
		at += end + 1
		if f := b.folders[full]; f != nil {
			above = f
			continue
		}
		e, there := above.entries[name]
		switch {
		case there && !e.Mode.IsTree():
			return nil, badPath(full, "is a file")
		case !there && existing:
			return nil, badPath(path, "does not exist")
		}
		f, err := b.load(ctx, full, e.ID)
		if err != nil {
			return nil, err
		}
		above = f
	}
	return above, nil
}

func (b *builder) load(ctx context.Context, path string, id git.ID) (*folder, error) {
	f := &folder{path: path, entries: map[string]git.Entry{}}
	b.folders[path] = f
	if id.IsZero() {
		return f, nil
	}
	data, err := treepath.Read(ctx, b.view.snap, id)
	if err != nil {
		return nil, err
	}
	for e, err := range git.Entries(b.view.Format, data) {
		if err != nil {
			return nil, err
		}
		if b.touched++; b.touched > maxTouched {
			return nil, forge.Invalidf("files", forge.CodeInvalid, "The directories of these files have more than %d entries", maxTouched)
		}
		f.entries[e.Name] = e
	}
	return f, nil
}

// below returns the directories in the making but the root, the deepest first.
func (b *builder) below() []*folder {
	var all []*folder
	for path, f := range b.folders {
		if path != "" {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(x, y *folder) int { return strings.Count(y.path, "/") - strings.Count(x.path, "/") })
	return all
}

// prune forgets directories in which nothing is left: git has none such.
func (b *builder) prune() {
	for _, f := range b.below() {
		if len(f.entries) == 0 {
			dir, name := split(f.path)
			delete(b.folders[dir].entries, name)
			delete(b.folders, f.path)
		}
	}
}

// write makes the trees, the deepest first.
func (b *builder) write() (root git.ID, err error) {
	for _, f := range b.below() {
		dir, name := split(f.path)
		above := b.folders[dir]
		id, err := b.add(git.KindTree, f.encode(b.view.Format))
		if err != nil {
			return root, err
		}
		above.entries[name] = git.Entry{Mode: git.ModeTree, Name: name, ID: id}
	}
	return b.add(git.KindTree, b.folders[""].encode(b.view.Format))
}

func (f *folder) encode(format git.Format) []byte {
	entries := make([]git.Entry, 0, len(f.entries))
	for _, e := range f.entries {
		entries = append(entries, e)
	}
	return git.AppendTree(format, nil, entries)
}

func split(path string) (dir, name string) {
	at := strings.LastIndexByte(path, '/')
	return path[:max(at, 0)], path[at+1:]
}

// CheckPath returns nil if a path may be a file's: names joined by slashes, none
// of them one that a checkout must not write. Otherwise the error is Invalid.
func CheckPath(path string) error {
	if path == "" {
		return forge.Invalidf("path", forge.CodeMissingField, "path is missing")
	}
	if len(path) > treepath.MaxPath {
		return badPath(path, "is too long")
	}
	for name := range strings.SplitSeq(path, "/") {
		switch {
		case name == "":
			return badPath(path, "has an empty part, or begins or ends with a slash")
		case name == ".", name == "..", strings.EqualFold(name, ".git"):
			return badPath(path, "has a part that git does not allow")
		case strings.IndexByte(name, 0) >= 0:
			return badPath(path, "has a NUL")
		}
	}
	return nil
}

func badPath(path, what string) error {
	return forge.Invalidf("path", forge.CodeInvalid, "path %.200q %s", path, what)
}

// StaleError says that a file is not what whoever changes it has seen.
type StaleError struct {
	Path     string
	Want, Is git.ID // zero: no file
}

func (e *StaleError) Error() string { return e.Path + " is not what was expected" }

// explain turns the engine's reasons against objects into what the caller may hear.
func explain(err error) error {
	var problem *fsck.Problem
	var missing *repo.MissingError
	var kind *repo.KindError
	switch {
	case errors.As(err, &problem):
		return forge.Invalidf("", "", "Object is refused: %s", problem)
	case errors.As(err, &missing):
		return forge.Invalidf("sha", forge.CodeMissing, "Object does not exist: %s", missing.ID)
	case errors.As(err, &kind):
		return forge.Invalidf("sha", forge.CodeInvalid, "Object %s is not a %s", kind.ID, kind.Want)
	}
	return err
}
