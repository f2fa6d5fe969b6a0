package code

import (
	"context"
	"strings"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/treepath"
)

// Limits of a whole listing, which are GitHub's.
const (
	MaxListed      = 100_000
	MaxListedBytes = 7 << 20 // of what git ls-tree -l would print
	maxDepth       = 2048    // of directories in each other: a path has 4096 bytes
)

// Item is one line of a listing.
type Item struct {
	Path string // from the listed tree
	Mode git.Mode
	Kind git.Kind // KindCommit for a submodule
	ID   git.ID
	Size int64 // of a blob
}

// Name is the last part of the path.
func (i *Item) Name() string { _, name := split(i.Path); return name }

// Cursor is where the next page of a listing goes on.
func (i *Item) Cursor() string {
	if i.Kind == git.KindTree {
		return i.Path + "/"
	}
	return i.Path
}

func item(path string, mode git.Mode, id git.ID) Item {
	mode = treepath.Mode(mode)
	i := Item{Path: path, Mode: mode, Kind: git.KindBlob, ID: id}
	switch mode {
	case git.ModeTree:
		i.Kind = git.KindTree
	case git.ModeSubmodule:
		i.Kind = git.KindCommit
	}
	return i
}

// List lists a tree, with everything below it if recursive is set, as git ls-tree -t
// does. Past the limits of a listing it ends, truncated.
func (v *View) List(ctx context.Context, tree git.ID, recursive bool) (items []Item, truncated bool, err error) {
	room := MaxListedBytes
	items, truncated, err = v.list(ctx, tree, recursive, "", func(i *Item, n int) bool {
		room -= len("100644 blob ") + v.Format.HexSize() + len(" 1234567\t\n") + len(i.Path)
		return n < MaxListed && room >= 0
	})
	return items, truncated, err
}

// ListPage lists up to limit items that come after one whose Cursor is after; "" for the first.
func (v *View) ListPage(ctx context.Context, tree git.ID, recursive bool, after string, limit int) (items []Item, more bool, err error) {
	return v.list(ctx, tree, recursive, after, func(_ *Item, n int) bool { return n < limit })
}

// list walks in git's order: that of the bytes of paths where those of directories end in
// slashes. room is asked before each item, with how many there are.
func (v *View) list(ctx context.Context, tree git.ID, recursive bool, after string, room func(i *Item, n int) bool) (items []Item, more bool, err error) {
	type level struct {
		path string // of the directory, with a slash at its end unless it is the root
		rest []byte
	}
	data, err := treepath.Read(ctx, v.snap, tree)
	if err != nil {
		return nil, false, err
	}
	stack := []level{{"", data}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.rest) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		mode, name, id, rest, err := git.NextEntry(v.Format, top.rest)
		if err != nil {
			return nil, false, err
		}
		top.rest = rest
		one := item(top.path+string(name), mode, id)
		key := one.Cursor()
		if after != "" && key <= after && !(one.Kind == git.KindTree && strings.HasPrefix(after, key)) {
			continue // before the page, with all below
		}
		if key > after {
			if !room(&one, len(items)) {
				return items, true, nil
			}
			if one.Kind == git.KindBlob {
				if _, one.Size, err = v.snap.Header(ctx, id); err != nil {
					return nil, false, err
				}
			}
			items = append(items, one)
		}
		if recursive && one.Kind == git.KindTree && len(stack) < maxDepth {
			data, err := treepath.Read(ctx, v.snap, id)
			if err != nil {
				return nil, false, err
			}
			stack = append(stack, level{one.Path + "/", data})
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
	}
	return items, false, nil
}

// Find returns what a tree has at a path; nothing there is NotFound. "" is the tree itself.
func (v *View) Find(ctx context.Context, tree git.ID, path string) (Item, error) {
	path = strings.Trim(path, "/")
	finder, err := treepath.New(v.snap, v.Format, path)
	if err != nil {
		return Item{}, v.notFound("There is no such path")
	}
	e, err := finder.Find(ctx, tree)
	if err != nil {
		return Item{}, err
	}
	if !e.Exists() {
		return Item{}, v.notFound("There is no such path")
	}
	found := item(path, e.Mode, e.ID)
	if found.Kind == git.KindBlob {
		_, found.Size, err = v.snap.Header(ctx, e.ID)
	}
	return found, err
}

// Content reads the blob of an item.
func (v *View) Content(ctx context.Context, i Item) ([]byte, error) {
	_, data, err := v.snap.Object(ctx, i.ID)
	return data, err
}

// maxLinks bounds how many symbolic links are followed to a file.
const maxLinks = 8

// Follow returns the file that a symbolic link leads to within the tree; found is false
// if it leads anywhere else.
func (v *View) Follow(ctx context.Context, tree git.ID, link Item) (file Item, target string, found bool, err error) {
	for range maxLinks {
		if link.Size > treepath.MaxPath {
			return Item{}, target, false, nil
		}
		data, err := v.Content(ctx, link)
		if err != nil {
			return Item{}, "", false, err
		}
		if target == "" {
			target = string(data)
		}
		dir, _ := split(link.Path)
		path, inside := join(dir, string(data))
		if !inside {
			return Item{}, target, false, nil
		}
		next, err := v.Find(ctx, tree, path)
		if err != nil {
			if isNotFound(err) {
				err = nil
			}
			return Item{}, target, false, err
		}
		if next.Mode != git.ModeSymlink {
			return next, target, next.Kind == git.KindBlob, nil
		}
		link = next
	}
	return Item{}, target, false, nil
}

// join follows a link's text from a directory; inside is false where it leaves the tree.
func join(dir, link string) (path string, inside bool) {
	if strings.HasPrefix(link, "/") || link == "" {
		return "", false
	}
	var parts []string
	if dir != "" {
		parts = strings.Split(dir, "/")
	}
	for part := range strings.SplitSeq(link, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(parts) == 0 {
				return "", false
			}
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/"), len(parts) > 0
}

// Readme returns the file that describes a directory, as GitHub chooses it: README with
// an extension that is shown as text first; at the root also in .github and docs.
func (v *View) Readme(ctx context.Context, tree git.ID, dir string) (Item, error) {
	dir = strings.Trim(dir, "/")
	places := []string{dir}
	if dir == "" {
		places = []string{".github", "", "docs"}
	}
	for _, place := range places {
		at, err := v.Find(ctx, tree, place)
		if isNotFound(err) || err == nil && at.Kind != git.KindTree {
			continue
		}
		if err != nil {
			return Item{}, err
		}
		items, _, err := v.List(ctx, at.ID, false)
		if err != nil {
			return Item{}, err
		}
		best, rank := -1, len(readmes)
		for i := range items {
			if r := readmeRank(items[i].Path); r < rank && items[i].Kind == git.KindBlob {
				best, rank = i, r
			}
		}
		if best >= 0 {
			found := items[best]
			if place != "" {
				found.Path = place + "/" + found.Path
			}
			if found.Mode == git.ModeSymlink {
				if file, _, ok, err := v.Follow(ctx, tree, found); err != nil {
					return Item{}, err
				} else if ok {
					file.Path = found.Path
					return file, nil
				}
			}
			return found, nil
		}
	}
	return Item{}, v.notFound("There is no README")
}

// readmes are the extensions that a README may have, the best first.
var readmes = []string{".md", ".markdown", ".mdown", ".mkdn", ".textile", ".rdoc", ".org", ".creole", ".mediawiki", ".wiki", ".rst", ".asciidoc",
	".adoc", ".asc", ".pod", ".txt", ""}

func readmeRank(name string) int {
	lower := strings.ToLower(name)
	for i, extension := range readmes {
		if lower == "readme"+extension {
			return i
		}
	}
	return len(readmes)
}
