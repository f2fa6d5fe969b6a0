package grep

import (
	"context"
	"fmt"

	"github.com/ingot-forge/ingot/git"
)

// walker goes through a tree in order and hands its files out.
type walker struct {
	*search
	todo, order chan<- *batch
	open        *batch // not yet handed out
	seen        int    // entries
	stopped     bool   // by Query.Files
	last        Cursor // where to go on then
	err         error
}

// level is a directory on the way from the root to where the walk is.
type level struct {
	rest []byte // entries to come
	path int    // length of the directory's path, with a slash at its end
}

// walk holds one tree per level and no recursion.
func (w *walker) walk(ctx context.Context, root git.ID) error {
	top, err := w.tree(ctx, root)
	if err != nil {
		return err
	}
	var path []byte
	stack := []level{{rest: top}}
	for len(stack) > 0 {
		dir := &stack[len(stack)-1]
		path = path[:dir.path]
		if len(dir.rest) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		mode, name, id, rest, err := git.NextEntry(w.format, dir.rest)
		if err != nil {
			return fmt.Errorf("directory %.200q: %w", path, err)
		}
		dir.rest = rest
		path = append(path, name...)
		if len(path) > maxPath {
			return fmt.Errorf("%w: path of more than %d bytes", git.ErrCorrupt, maxPath)
		}
		isTree := mode.IsTree()
		if w.passed(path, isTree) {
			continue
		}
		// Directories on the way to the cursor do not count, or a search might come no further.
		if onTheWay := isTree && under(w.After.Path, path); !onTheWay {
			w.seen++
		}
		if w.seen > w.Files {
			w.seen = w.Files
			// All that comes is behind this one, or is it. A directory's place is that of its slash.
			if isTree {
				path = append(path, '/')
			}
			w.stopped, w.last = true, Cursor{Path: string(path)}
			break
		}
		if w.seen%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		isFile := mode&0o170000 == git.ModeBlob&0o170000
		if !isFile && !isTree || !w.Paths.Select(path, isTree) {
			continue
		}
		if isFile {
			if err := w.file(ctx, mode, id, path); err != nil {
				return err
			}
			continue
		}
		if len(stack) == maxDepth {
			return fmt.Errorf("%w: more than %d directories in each other", git.ErrCorrupt, maxDepth)
		}
		data, err := w.tree(ctx, id)
		if err != nil {
			return fmt.Errorf("directory %.200q: %w", path, err)
		}
		path = append(path, '/')
		stack = append(stack, level{rest: data, path: len(path)})
	}
	return w.hand(ctx)
}

// passed reports whether a path, and all below it, is in front of the cursor.
func (w *walker) passed(path []byte, isTree bool) bool {
	after := w.After.Path
	if after == "" || string(path) == after {
		return false
	}
	if isTree {
		return !under(after, path) && string(append(path, '/')) < after
	}
	return string(path) < after
}

// under reports whether a path lies in a directory.
func under(path string, dir []byte) bool {
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == string(dir)
}

// file adds a file to the batch.
func (w *walker) file(ctx context.Context, mode git.Mode, id git.ID, path []byte) error {
	c := candidate{mode: mode, id: id, path: string(path)}
	if c.path == w.After.Path {
		c.behind = w.After.Line
	}
	if w.open == nil {
		w.open = &batch{done: make(chan struct{})}
	}
	w.open.files = append(w.open.files, c)
	if len(w.open.files) < batchFiles {
		return nil
	}
	return w.hand(ctx)
}

// hand hands the batch out.
func (w *walker) hand(ctx context.Context) error {
	b := w.open
	if b == nil {
		return nil
	}
	w.open = nil
	for _, to := range []chan<- *batch{w.order, w.todo} {
		select {
		case to <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (w *walker) tree(ctx context.Context, id git.ID) ([]byte, error) {
	kind, data, err := w.objects.Object(ctx, id)
	if err == nil && kind != git.KindTree {
		err = fmt.Errorf("%w: %s is a %s, not a tree", git.ErrCorrupt, id, kind)
	}
	return data, err
}
