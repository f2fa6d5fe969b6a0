package code_test

import (
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
)

// TestPatchLikeGit: mails are those of git format-patch, whatever subjects, names and paths are like.
func TestPatchLikeGit(t *testing.T) {
	w := open(t)
	long := strings.Repeat("deep/", 20)
	lines := func(n int, text string) string { return strings.Repeat(text+"\n", n) }
	w.write("a", lines(10, "a"))
	w.write(long+"old/file", lines(30, "moved"))
	w.write("x/same/y", lines(30, "shorter"))
	w.write("top", lines(30, "to the top"))
	w.commit("\n\n  first  \nof two lines\n\n\n\nbody  \n\n\nafter three\t\n\n\n")
	w.write("a", lines(9, "a")+lines(1, "b"))
	w.write("many", lines(700, "m"))
	w.write("few", lines(1, "f"))
	w.write(strings.Repeat("ein-sehr-langer-Name-", 6)+"ä", lines(3, "x"))
	w.write(long+"file", lines(3, "y"))
	w.write("tab\there", lines(2, "quoted"))
	w.commit("Subject with = ? and _ ä, and 8 bit\n\nkörper", "--author", "Ünal Ö (x) <u@example.org>")
	w.git("mv", long+"old/file", long+"file2")
	w.git("mv", "x/same/y", "x/other")
	w.git("mv", "top", "a-directory-that-was-not-there")
	w.git("rm", "-q", "few")
	w.write("many", lines(300, "m")+lines(50, "n"))
	w.commit(strings.Repeat("word ", 40)+strings.Repeat("unbreakable", 10)+" end", "--author", "Dr. "+strings.Repeat("Long Name ", 10)+"<l@example.org>")
	w.commit("=?UTF-8?q?not=20encoded?=\nand more")
	w.write("a", "")
	w.commit("empty file\r\n\r\nwith carriage returns\r\n")
	w.push()
	v := w.view(forge.Read)
	for _, id := range strings.Fields(w.git("rev-list", "main")) {
		commit, err := v.Commit(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		c, err := v.Read(t.Context(), commit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.AppendPatch(t.Context(), nil, c, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := w.git("format-patch", "--always", "--stdout", "--no-signature", "-1", id); string(got) != want {
			t.Errorf("%s:\n%s\n--- want\n%s", id, got, want)
		}
	}
}
