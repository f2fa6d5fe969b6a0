package merge_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/merge"
)

// submodule is a submodule at a made-up commit.
func submodule(digit string) file { return file{git.ModeSubmodule, strings.Repeat(digit, 40)} }

func link(to string) file { return file{git.ModeSymlink, to} }

// cases are the kinds of conflict, and what is nearly one.
func cases() []scenario {
	f, g, h := numbered("f", 12), numbered("g", 12), numbered("h", 12)
	f1, f2 := f.with("f 3", "ours"), f.with("f 3", "theirs")
	fEnd := f.with("f 11", "end")
	lib := files{"lib/a": f, "lib/b": g, "lib/c": h}
	and := func(fs files, more files) files {
		out := files{}
		for _, m := range []files{fs, more} {
			for path, x := range m {
				out[path] = x
			}
		}
		return out
	}
	moved := files{"src/a": f, "src/b": g, "src/c": h}
	return []scenario{
		{"both changed elsewhere", files{"f": f}, files{"f": f1}, files{"f": fEnd}},
		{"content", files{"f": f}, files{"f": f1}, files{"f": f2}},
		{"content without a line feed", files{"f": text("a")}, files{"f": {git.ModeBlob, "b"}}, files{"f": {git.ModeBlob, "c"}}},
		{"add/add", files{}, files{"f": f1}, files{"f": f2}},
		{"add/add, the same", files{"g": g}, files{"f": f, "g": g}, files{"f": f, "g": g.with("g 1", "x")}},
		{"add/add, other modes", files{}, files{"f": f}, files{"f": f.as(git.ModeExecutable)}},
		{"binary", files{"f": {git.ModeBlob, "\x00a"}}, files{"f": {git.ModeBlob, "\x00b"}}, files{"f": {git.ModeBlob, "\x00c"}}},
		{"modify/delete", files{"f": f}, files{"f": f1}, files{"g": g}},
		{"delete/modify", files{"f": f}, files{"g": g}, files{"f": f2}},
		{"both deleted", files{"f": f, "g": g}, files{"g": g.with("g 1", "x")}, files{"g": g.with("g 9", "y")}},
		{"modes", files{"f": f}, files{"f": f1.as(git.ModeExecutable)}, files{"f": fEnd}},
		{"modes of both", files{"f": f}, files{"f": f.as(git.ModeExecutable)}, files{"f": link("x")}},
		{"links", files{"f": link("a")}, files{"f": link("b")}, files{"f": link("c")}},
		{"link and file", files{"f": f}, files{"f": link("b")}, files{"f": f2}},
		{"link and file added", files{}, files{"f": link("b")}, files{"f": f2}},
		{"link and submodule", files{}, files{"f": link("b")}, files{"f": submodule("1")}},
		{"submodule and file", files{"f": submodule("1")}, files{"f": submodule("2")}, files{"f": f2}},
		{"submodules", files{"s": submodule("1")}, files{"s": submodule("2")}, files{"s": submodule("3")}},
		{"submodules added", files{}, files{"s": submodule("2")}, files{"s": submodule("3")}},
		{"submodule moved by one", files{"s": submodule("1"), "f": f}, files{"s": submodule("2"), "f": f}, files{"s": submodule("1"), "f": f2}},
		{"submodule deleted", files{"s": submodule("1")}, files{"s": submodule("2")}, files{"f": f}},
		{"file/directory", files{"g": g}, files{"f": f}, files{"f/x": h}},
		{"directory/file", files{"g": g}, files{"f/x": h, "f/y/z": h}, files{"f": f}},
		{"directory/file, changed", files{"f": f}, files{"f/x": h}, files{"f": f2}},
		{"directory/file, left alone", files{"f": f}, files{"f/x": h}, files{"f": f, "g": g}},
		{"directory/file, name taken", files{}, files{"f/x": h, "f~theirs_#": g}, files{"f": f, "f~theirs_#_0": g}},
		{"directory deleted for a file", files{"d/x": h, "d/y": g}, files{"d": f}, files{"d/x": h, "d/y": g, "e": f}},
		{"directory deleted for a file, changed", files{"d/x": h, "d/y": g}, files{"d": f}, files{"d/x": h.with("h 1", "x"), "d/y": g}},
		{"renamed and changed", files{"f": f}, files{"r": f1}, files{"f": fEnd}},
		{"renamed and conflict", files{"f": f}, files{"r": f1}, files{"f": f2}},
		{"renamed alike", files{"f": f}, files{"r": f1}, files{"r": fEnd}},
		{"renamed apart", files{"f": f}, files{"r": f}, files{"s": f}},
		{"renamed apart and changed", files{"f": f}, files{"r": f1}, files{"s": fEnd}},
		{"renamed apart and conflict", files{"f": f}, files{"r": f1}, files{"s": f2}},
		{"renamed and deleted", files{"f": f, "g": g}, files{"r": f, "g": g}, files{"g": g}},
		{"renamed, changed and deleted", files{"f": f, "g": g}, files{"r": f1, "g": g}, files{"g": g}},
		{"deleted and renamed", files{"f": f, "g": g}, files{"g": g}, files{"r": f, "g": g}},
		{"renamed into an addition", files{"f": f}, files{"r": f}, files{"f": f, "r": g}},
		{"renamed into an addition, conflict", files{"f": f}, files{"r": f1}, files{"f": f2, "r": g}},
		{"renamed into an addition, deleted", files{"f": f, "x": h}, files{"r": f1, "x": h}, files{"r": g, "x": h}},
		{"two renamed to one", files{"f": f, "g": g}, files{"r": f, "g": g}, files{"f": f, "r": g}},
		{"two renamed to one, changed", files{"f": f, "g": g}, files{"r": f1, "g": g.with("g 1", "x")}, files{"f": f2, "r": g}},
		{"swapped", files{"f": f, "g": g}, files{"f": g, "g": f}, files{"f": f2, "g": g}},
		{"renamed and a link left", files{"f": f}, files{"r": f, "f": link("r")}, files{"r": f1}},
		{"renamed into a directory that was a file", files{"f": f, "d": g}, files{"d/f": f}, files{"f": f2, "d": g}},
		{"renamed where the other has a directory", files{"f": f}, files{"r": f1}, files{"f": f2, "r/x": g}},
		{"executable renamed", files{"f": f}, files{"r": f.as(git.ModeExecutable)}, files{"f": f2}},
		{"directory renamed, one added", lib, moved, and(lib, files{"lib/d": text("new")})},
		{"directory renamed, one added below", lib, moved, and(lib, files{"lib/e/d": text("new")})},
		{"directory renamed, one renamed into it", and(lib, files{"o": text("other", "file", "here")}),
			and(moved, files{"o": text("other", "file", "here")}), and(lib, files{"lib/o": text("other", "file", "here")})},
		{"directory renamed, one added in the way", lib, and(moved, files{"src/d": text("in", "the", "way")}), and(lib, files{"lib/d": text("new")})},
		{"directory renamed by both", lib, moved, and(files{"doc/a": f, "doc/b": g, "doc/c": h}, files{"lib/d": text("new")})},
		{"directory split", lib, files{"src/a": f, "doc/b": g}, and(lib, files{"lib/d": text("new")})},
		{"directory split, most to one", lib, files{"src/a": f, "src/b": g, "doc/c": h}, and(lib, files{"lib/d": text("new")})},
		{"directory renamed to the root", lib, files{"a": f, "b": g, "c": h}, and(lib, files{"lib/d": text("new")})},
		{"directory renamed, another one into it", and(lib, files{"x/p": text("p"), "x/q": text("q")}),
			and(moved, files{"x/p": text("p"), "x/q": text("q")}), and(lib, files{"lib/p": text("p"), "lib/q": text("q"), "x/z": text("z")})},
		{"two directories into one, two added", and(lib, files{"x/p": numbered("p", 5)}), and(moved, files{"src/p": numbered("p", 5)}),
			and(lib, files{"x/p": numbered("p", 5), "lib/new": text("1"), "x/new": text("2")})},
		{"directory renamed, a file added instead", lib, moved, files{"lib": text("new")}},
		{"nested directory renamed", and(lib, files{"lib/in/x": numbered("x", 9), "lib/in/y": numbered("y", 9)}),
			and(moved, files{"src/in/x": numbered("x", 9), "src/in/y": numbered("y", 9)}),
			and(lib, files{"lib/in/x": numbered("x", 9), "lib/in/y": numbered("y", 9), "lib/in/z": text("z"), "lib/d": text("new")})},
		{"directory split below one that is not", and(lib, files{"lib/in/deep/x": numbered("x", 9), "lib/in/deep2/y": numbered("y", 9)}),
			and(moved, files{"src/in/deep/x": numbered("x", 9), "doc/in/deep2/y": numbered("y", 9)}),
			and(lib, files{"lib/in/deep/x": numbered("x", 9), "lib/in/deep2/y": numbered("y", 9), "lib/d": text("new")})},
		{"directory known by its majority", and(lib, files{"lib/d": numbered("z", 20), "rel": numbered("z", 20).with(" 1\n", " 1\n1\n1\n1\n1\n1\n1\n")}),
			and(moved, files{"src/e": numbered("z", 20).with(" 19\n", " end\n")}),
			and(lib, files{"lib/d": numbered("z", 20), "lib/new": text("new"), "rel": numbered("z", 20)})},
		{"names around a directory", files{"t-2": f, "t/x": g, "t.c": h}, files{"t-2": f1, "t": g, "t.c": h}, files{"t-2": fEnd, "t/x": g, "t/y": h, "t.c": h}},
		{"everything deleted by one", lib, files{}, lib},
		{"everything deleted by both", and(lib, files{"f": f}), files{}, files{"f": f}},
		{"criss-cross names", files{"a": f, "b": g}, files{"a": g, "b": f}, files{"a": f1, "b": g}},
	}
}

func TestCases(t *testing.T) {
	for _, c := range []struct {
		name    string
		format  git.Format
		o       merge.Options
		options []string
	}{
		{"default", git.SHA1, merge.Options{}, nil},
		{"diff3, moving along", git.SHA1, merge.Options{Style: merge.Diff3, DirectoryRenames: merge.MoveAlong},
			[]string{"-c", "merge.conflictStyle=diff3", "-c", "merge.directoryRenames=true"}},
		{"zdiff3, leaving behind", git.SHA1, merge.Options{Style: merge.ZealousDiff3, DirectoryRenames: merge.LeaveBehind},
			[]string{"-c", "merge.conflictStyle=zdiff3", "-c", "merge.directoryRenames=false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := cases()
			for i, x := range all {
				for _, fs := range []files{x.base, x.ours, x.theirs} {
					for path, f := range fs {
						if name := strings.ReplaceAll(path, "#", strconv.Itoa(i)); name != path {
							delete(fs, path)
							fs[name] = f
						}
					}
				}
			}
			clean, failed := compare(t, c.format, all, c.o, c.options...)
			t.Logf("%d clean, %d where git fails", clean, failed)
		})
	}
}

// TestManyDirectories has files that are equally like many others: which one is taken
// depends on the order of git's hash tables.
func TestManyDirectories(t *testing.T) {
	var scenarios []scenario
	for _, n := range []int{3, 60, 230} {
		f := numbered("f", 20)
		x := scenario{fmt.Sprint(n), files{"src/f": f, "src/sub/g": f.with(" 9\n", "\n")}, files{}, files{"src/f": f.with(" 1\n", "\n"), "src/sub/g": f}}
		for i := range n {
			x.base[fmt.Sprintf("d%d/keep", i)] = text("keep")
			x.ours[fmt.Sprintf("d%d/keep", i)] = text("keep")
			x.ours[fmt.Sprintf("d%d/like%d", i, i)] = f.with(" 19\n", " end\n")
			x.theirs[fmt.Sprintf("d%d/keep", i)] = text("keep")
		}
		scenarios = append(scenarios, x)
	}
	compare(t, git.SHA1, scenarios, merge.Options{})
}

// TestAgain has so much in directories that only one side changed that git starts again
// when it knows the renames.
func TestAgain(t *testing.T) {
	var scenarios []scenario
	for i := range 12 {
		base, ours, theirs := files{}, files{}, files{}
		for d := range 6 {
			for j := range 12 {
				f := numbered(fmt.Sprint("file", d, j), 12)
				path := fmt.Sprintf("lib%d/sub/f%d", d, j)
				base[path] = f
				theirs[path] = f
				to := path
				if d < 1+i%3 { // moved, in parts
					to = fmt.Sprintf("src%d/sub/f%d", d, j)
					if j == i {
						to = fmt.Sprintf("doc/f%d%d", d, j)
						f = f.with(" 3\n", " three\n")
					}
				}
				ours[to] = f
				if d > 2 {
					ours[fmt.Sprintf("lib%d/new%d", d, j)] = f
				}
			}
		}
		theirs["lib0/sub/f3"] = base["lib0/sub/f3"].with(" 7\n", " seven\n")
		if i%2 == 0 {
			theirs["lib0/sub/added"] = text("added")
			theirs["lib1/sub/added"] = text("added")
		}
		if i%3 == 0 { // what matters to nobody goes where it is moved along
			base["far/z"], ours["far/z"], theirs["lib0/sub/z"] = text("z"), text("z"), text("z")
			y := numbered("y", 9)
			base["near/y"], ours["near/y"], theirs["near2/y2"] = y, y.with(" 3\n", " three\n"), y
		}
		if i%4 > 1 {
			theirs["lib0/added"] = text("added")
		}
		scenarios = append(scenarios, scenario{fmt.Sprint(i), base, ours, theirs})
	}
	compare(t, git.SHA1, scenarios, merge.Options{})
}
