package archive

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/pathspec"
)

// errSkip is what visit returns for a directory whose content is to be left out.
var errSkip = errors.New("skip")

// level is a directory on the way from the root to where a walk is.
type level struct {
	rest []byte // entries to come
	path int    // length of the directory's path, with a slash at its end
}

// walk visits the entries of a tree that the specs select (all, if there are
// none), a directory before what lies in it. It holds one tree per level and no recursion.
func walk(ctx context.Context, objects git.Objects, root git.ID, specs pathspec.Specs, o *Options,
	visit func(mode git.Mode, id git.ID, path []byte) error) error {
	top, err := readTree(ctx, objects, root)
	if err != nil {
		return err
	}
	var path []byte
	seen := 0
	stack := []level{{rest: top}}
	for len(stack) > 0 {
		dir := &stack[len(stack)-1]
		path = path[:dir.path]
		if len(dir.rest) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		mode, name, id, rest, err := git.NextEntry(o.Objects, dir.rest)
		if err != nil {
			return err
		}
		dir.rest = rest
		if seen++; seen > o.MaxEntries {
			return &TooLargeError{What: "entries", Max: int64(o.MaxEntries)}
		}
		// With specs one entry may take long.
		if (seen%256 == 0 || len(specs) > 0) && ctx.Err() != nil {
			return ctx.Err()
		}
		path = append(path, name...)
		if len(path) > maxPath {
			return &TooLargeError{What: "bytes in a path", Max: maxPath}
		}
		isTree := mode.IsTree()
		if !specs.Select(path, isTree) {
			continue
		}
		if err := visit(mode, id, path); err == errSkip {
			continue
		} else if err != nil {
			return err
		}
		if !isTree {
			continue
		}
		if len(stack) == maxDepth {
			return &TooLargeError{What: "directories in each other", Max: maxDepth}
		}
		data, err := readTree(ctx, objects, id)
		if err != nil {
			return err
		}
		path = append(path, '/')
		stack = append(stack, level{rest: data, path: len(path)})
	}
	return nil
}

func readTree(ctx context.Context, objects git.Objects, id git.ID) ([]byte, error) {
	kind, data, err := objects.Object(ctx, id)
	if err == nil && kind != git.KindTree {
		err = fmt.Errorf("%w: %s is a %s, not a tree", git.ErrCorrupt, id, kind)
	}
	return data, err
}

// checkMatches fails with *PathError for a spec that selects nothing.
func checkMatches(ctx context.Context, objects git.Objects, root git.ID, specs pathspec.Specs, o *Options) error {
	matched := make([]bool, len(specs))
	err := walk(ctx, objects, root, specs, o, func(mode git.Mode, _ git.ID, path []byte) error {
		for i := range specs {
			matched[i] = matched[i] || specs.Match(i, path, mode.IsTree())
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, ok := range matched {
		if !ok {
			return &PathError{Path: specs.Text(i), Fault: "did not match any files"}
		}
	}
	return nil
}
