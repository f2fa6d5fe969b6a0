package attributes

import (
	"context"
	"fmt"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// FileName is how the files are called.
const FileName = ".gitattributes"

// LimitError says that a file is larger than MaxBytes.
type LimitError struct{ Path string }

func (e *LimitError) Error() string {
	return fmt.Sprintf("%.200q is larger than %d bytes", e.Path, MaxBytes)
}

// Tree answers for the paths of a tree. It keeps the files of the directories on the way to the last path, so asking in
// the order of the tree reads each once. It serves one goroutine.
type Tree struct {
	objects git.Objects
	format  git.Format
	root    git.ID
	levels  []level
	macros  map[string][]setting
}

// level is a directory on the way to the last path.
type level struct {
	name string
	data []byte // its tree; nil if there is none
	file *File  // nil if it has none
}

// NewTree returns the attributes of a tree. The zero id is the empty tree.
func NewTree(objects git.Objects, f git.Format, root git.ID) *Tree {
	return &Tree{objects: objects, format: f, root: root}
}

// builtin is the macro that is there from the start.
var builtin = []setting{{"diff", Value{State: Unset}}, {"merge", Value{State: Unset}}, {"text", Value{State: Unset}}}

// Of returns the attributes of a path, of a directory if it ends in a slash, whether it is in the tree or not.
// Values is nil if it has none. Errors are those of reading, and *LimitError.
func (t *Tree) Of(ctx context.Context, path string) (Values, error) {
	path, isTree := strings.CutSuffix(path, "/")
	names := strings.Split(path, "/")
	if err := t.enter(ctx, names[:len(names)-1]); err != nil {
		return nil, err
	}
	var values Values
	rest := len(path) // where the path goes on from a level
	for i := len(t.levels) - 1; i >= 0; i-- {
		rest -= len(names[i]) // the name that the level has of it
		if f := t.levels[i].file; f != nil {
			for j := len(f.rules) - 1; j >= 0; j-- {
				if r := &f.rules[j]; r.matches(path[rest:], names[len(names)-1], isTree) {
					if values == nil {
						values = Values{}
					}
					t.apply(values, r.settings)
				}
			}
		}
		rest--
	}
	for name, v := range values {
		if v.State == Unspecified {
			delete(values, name)
		}
	}
	return values, nil
}

// apply notes what is not known yet, the last first; where that sets a macro, what it stands for comes at
// once.
func (t *Tree) apply(values Values, settings []setting) {
	stack := [][]setting{settings}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(*top) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		s := (*top)[len(*top)-1]
		*top = (*top)[:len(*top)-1]
		if _, known := values[s.name]; known {
			continue
		}
		values[s.name] = s.value
		if s.value.State == Set {
			if macro, ok := t.macros[s.name]; ok {
				stack = append(stack, macro)
			}
		}
	}
}

// enter makes the levels those of a directory.
func (t *Tree) enter(ctx context.Context, dirs []string) error {
	if t.levels == nil {
		root, err := t.open(ctx, t.root, "")
		if err != nil {
			return err
		}
		t.levels = []level{root}
		t.macros = map[string][]setting{"binary": builtin}
		if root.file != nil {
			for name, settings := range root.file.macros {
				t.macros[name] = settings
			}
		}
	}
	same := 0
	for same < len(dirs) && same+1 < len(t.levels) && t.levels[same+1].name == dirs[same] {
		same++
	}
	t.levels = t.levels[:same+1]
	for ; same < len(dirs); same++ {
		next := level{}
		if mode, id, ok := t.find(t.levels[same].data, dirs[same]); ok && mode.IsTree() {
			var err error
			if next, err = t.open(ctx, id, strings.Join(dirs[:same+1], "/")+"/"); err != nil {
				return err
			}
		}
		next.name = dirs[same]
		t.levels = append(t.levels, next)
	}
	return nil
}

// open reads a directory and its file.
func (t *Tree) open(ctx context.Context, id git.ID, path string) (level, error) {
	if id.IsZero() {
		return level{}, nil
	}
	data, err := t.read(ctx, id, git.KindTree)
	if err != nil {
		return level{}, err
	}
	l := level{data: data}
	mode, blob, ok := t.find(data, FileName)
	if !ok || mode&0o170000 != git.ModeBlob&0o170000 { // a link leads nowhere here
		return l, nil
	}
	text, err := t.read(ctx, blob, git.KindBlob)
	if err != nil {
		return level{}, err
	}
	if len(text) > MaxBytes {
		return level{}, &LimitError{path + FileName}
	}
	l.file = Parse(text, path == "")
	return l, nil
}

func (t *Tree) read(ctx context.Context, id git.ID, want git.Kind) ([]byte, error) {
	kind, data, err := t.objects.Object(ctx, id)
	if err == nil && kind != want {
		err = fmt.Errorf("%w: %s is a %s, not a %s", git.ErrCorrupt, id, kind, want)
	}
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	return data, nil
}

// find returns the entry of a name. Where the tree is no tree any more, there is none: whoever walks it says so.
func (t *Tree) find(data []byte, name string) (git.Mode, git.ID, bool) {
	for len(data) > 0 {
		mode, start, end := git.EntrySpan(t.format, data)
		if start == 0 {
			break
		}
		if string(data[start:end]) == name {
			return mode, t.format.FromBytes(data[end+1:]), true
		}
		data = data[end+1+t.format.Size():]
	}
	return 0, git.ID{}, false
}
