package fsck_test

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

const (
	emptyTree  = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	goodCommit = "tree " + emptyTree + "\n" +
		"author A U Thor <author@example.com> 1112912053 +0200\n" +
		"committer C O Mitter <committer@example.com> 1112912113 -0730\n" +
		"\nmessage\n"
)

func itoa(n int) string { return strconv.Itoa(n) }

// entry encodes a tree entry that names the empty blob, tree or a commit.
func entry(mode, name string) string {
	kind := git.KindBlob
	switch strings.TrimLeft(mode, "0") {
	case "40000":
		kind = git.KindTree
	case "160000":
		kind = git.KindCommit
	}
	return entryOf(mode, name, idOf(object{kind, nil}))
}

func entryOf(mode, name string, id git.ID) string {
	return mode + " " + name + "\x00" + string(id[:20])
}

func tree(entries ...string) object { return object{git.KindTree, []byte(strings.Join(entries, ""))} }

// specialNames mean something to git on some file system, or nearly.
var specialNames = []string{
	".", "..", "...", ". ", "a/b", "/", "/a", "a/", "a\\b", "\\",
	".git", ".GIT", ".Git", ".gitx", ".gi", ".git ", ".git.", ".git. .", ".git  x", ".git:", ".git::$INDEX_ALLOCATION",
	".git::$DATA", ".git\\x", ".git/x", "x\\.git", "x\\y\\.GIT ", "x/.git", "\\.git", ".git\\", "git~1", "GIT~1", "gIt~1.",
	"git~1::$INDEX_ALLOCATION", "git~1\\hooks", "git~2", "git~", "git~11", "x\\git~1", "git",
	".g\u200cit", "\u200d.git", ".git\u200e", ".\u200fgit", ".g\u202ai\u202et", "\ufeff.git", ".gi\u206at", ".gi\u206ft", ".gi\u2070t",
	".git\xff", ".git\xff.x", ".gi\xfft", "\xff.git", ".git\xc0\x80", ".git\uffff", ".git\ufffd", ".git\u200c/", ".gıt", ".gİt",
	".gitmodules", ".GITMODULES", ".gitmodules.", ".gitmodules ", ".gitmodules:x", ".gitmodules::$DATA", ".gitmodulesx", ".gitmodule",
	".gitmodules .x", ".git\u200cmodules", ".gitmodules\u200c", ".gitmodules\xff", "gitmod~1", "GITMOD~4", "gitmod~5", "gitmod~0",
	"gitmod~1 .", "gitmod~1x", "gitmod~10", "gi7eba~1", "GI7EBA~9", "gi7eba~0", "gi7eb~12", "gi~12345", "g~123456", "~1234567", "~1000000",
	"~10000000", "~0123456", "gi7eba~", "gi7eba~1.", "gi7eba~1x", "gi7ebax~1", "gi7eba1~1", "x\\gitmod~1", "x\\.gitmodules", "x\\gi7eba~1",
	"x/.gitmodules", "x\\.g\u200citmodules",
	".gitattributes", ".GitAttributes ", ".gitattributes\u200d", "gitatt~1", "gi7d29~1", "GI7D29~7", "gi7d2~12", "x\\.gitattributes", "x\\gitatt~1",
	".gitignore", "gitign~1", "gi250a~1", ".gitignore\u200d", ".mailmap", ".MailMap.", "mailma~1", "maba30~1", "MABA30~2", ".mail\u200cmap", "mailmap",
	"~", "g", "m", "gitk", "Makefile", "main.go", ".github", ".g", ".m", ".mailmaps", "\xe2\x80", "\u200c", "é", "日本", "a\u200cb",
}

// namedTrees has each special name alone, as a file, a directory, a link and a
// submodule.
func namedTrees() []object {
	var trees []object
	for _, name := range specialNames {
		for _, mode := range []string{"100644", "40000", "120000"} {
			trees = append(trees, tree(entry(mode, name)))
		}
	}
	return trees
}

// oddTrees have other faults.
func oddTrees() []object {
	file, dir := func(n string) string { return entry("100644", n) }, func(n string) string { return entry("40000", n) }
	trees := []object{
		tree(),
		tree(file("a")),
		tree(entry("0100644", "a")),
		tree(entry("040000", "a")),
		tree(entry("100664", "a")),
		tree(entry("100600", "a")),
		tree(entry("40755", "a")),
		tree(entry("755", "a")),
		tree(entry("100755", "a"), entry("120000", "b")),
		tree(entryOf("100644", "a", git.ID{})),
		tree(entryOf("40000", "a", git.ID{})),
		tree(entryOf("160000", "a", git.ID{})),
		tree(file("a"), file("a")),
		tree(file("a"), dir("a")),
		tree(dir("a"), file("a")),
		tree(file("b"), file("a")),
		tree(file("a"), file("a.b"), dir("a")),
		tree(file("a"), file("a.b"), file("a.b.c"), dir("a.b"), dir("a")),
		tree(file("a"), file("a.b"), file("a.b.c"), dir("a.b.d"), dir("a")),
		tree(file("a"), file("a-b"), dir("a-c"), file("a.d"), dir("a"), file("a0")),
		tree(dir("a"), file("a.b")),
		tree(file("a.b"), dir("a")),
		tree(file("a0"), dir("a")),
		tree(file("long-name-1"), file("long-name-2"), file("long-name-2x"), dir("long-name-3")),
		tree(file("long-name-1"), file("long-name-1.x"), dir("long-name-1")),
		tree(file("eight888"), dir("eight888")),
		tree(file("eight888"), file("eight888.x"), dir("eight888")),
		tree(file("seven77"), file("seven77.x"), dir("seven77")),
		tree(file("seven77"), dir("seven77")),
		tree(dir("seven77"), file("seven77.")),
		tree(file("seven77."), dir("seven77"), file("seven770")),
		tree(file("eight888."), dir("eight888"), file("eight8880")),
		tree(file("a/b"), dir("a")),
		tree(dir("a"), file("a/b")),
		tree(file("\x01"), file("a\x7f")),
	}
	return trees
}

// randomTrees have names that are each other's prefixes, in any order, and
// names put together from the pieces of special ones.
func randomTrees(r *rand.Rand, n int) []object {
	endings := []string{"", ".", ".b", "-", "-b", "0", "/", "b", "\\", "é", ".b.c", "seven77", "eight888"}
	pieces := []string{".", ".", "g", "G", "i", "t", "git", ".git", "~", "~1", "4", "\u200c", "\ufeff", "\u206c", ":", " ", "\\", "/",
		"gitmod", "gi7eba", "gi7d29", "modules", "attributes", "ignore", "mailmap", "maba30", "\xff", "\xef\xbf\xbe", "\xc0\x80", "x"}
	modes := []string{"100644", "100644", "40000", "40000", "100755", "120000", "100664", "040000"}
	var trees []object
	for range n {
		var entries []string
		for range 1 + r.IntN(6) {
			name := "a"
			if r.IntN(3) == 0 {
				name = ""
				for range 1 + r.IntN(4) {
					name += pieces[r.IntN(len(pieces))]
				}
			}
			for range r.IntN(3) {
				name += endings[r.IntN(len(endings))]
			}
			entries = append(entries, entry(modes[r.IntN(len(modes))], name))
		}
		trees = append(trees, tree(entries...))
	}
	return trees
}

// replaced returns text with each pair's first string replaced by the second,
// one at a time.
func replaced(kind git.Kind, text string, pairs ...string) []object {
	objects := []object{{kind, []byte(text)}}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("nothing to replace: " + pairs[i])
		}
		objects = append(objects, object{kind, []byte(strings.Replace(text, pairs[i], pairs[i+1], 1))})
	}
	return objects
}

// signatureFaults are faults of a line with a name and date.
func signatureFaults(key, name, email, date, zone string) []string {
	line := key + " " + name + " <" + email + "> " + date + " " + zone + "\n"
	var pairs []string
	for _, bad := range []string{
		"", key + "\n", key + " \n", strings.ToUpper(line), key + "x" + line[len(key):],
		strings.Replace(line, name+" ", "", 1), strings.Replace(line, name, "", 1), strings.Replace(line, " <", "<", 1),
		strings.Replace(line, " <", "  <", 1), strings.Replace(line, "<", "", 1), strings.Replace(line, ">", "", 1),
		strings.Replace(line, "<"+email+"> ", "", 1), strings.Replace(line, email, "", 1), strings.Replace(line, email, "a>b", 1),
		strings.Replace(line, email, "a<b", 1), strings.Replace(line, name, "a>b", 1), strings.Replace(line, name, "a<b", 1),
		strings.Replace(line, "> ", ">", 1), strings.Replace(line, "> ", ">  ", 1), strings.Replace(line, "> ", ">>", 1),
		strings.Replace(line, date, "0", 1), strings.Replace(line, date, "0"+date, 1), strings.Replace(line, date, "00", 1),
		strings.Replace(line, date, "x", 1), strings.Replace(line, date, date+"x", 1), strings.Replace(line, date, "1", 1),
		strings.Replace(line, date, "18446744073709551615", 1), strings.Replace(line, date, "9223372036854775808", 1),
		strings.Replace(line, date, "99999999999999999999999999", 1), strings.Replace(line, date+" "+zone, date, 1),
		strings.Replace(line, zone, "", 1), strings.Replace(line, zone, "0200", 1), strings.Replace(line, zone, "+200", 1),
		strings.Replace(line, zone, "+02000", 1), strings.Replace(line, zone, "+02:00", 1), strings.Replace(line, zone, "UTC", 1),
		strings.Replace(line, zone, zone+" ", 1), strings.Replace(line, zone, "-9999", 1), strings.Replace(line, name, "a\x00b", 1),
		strings.TrimSuffix(line, "\n"), line + line, "gpgsig x\n" + line,
	} {
		pairs = append(pairs, line, bad)
	}
	return pairs
}

func commits() []object {
	pairs := append(signatureFaults("author", "A U Thor", "author@example.com", "1112912053", "+0200"),
		signatureFaults("committer", "C O Mitter", "committer@example.com", "1112912113", "-0730")...)
	parent := "parent " + git.SHA1.Hex(idOf(object{git.KindCommit, []byte(goodCommit)})) + "\n"
	pairs = append(pairs,
		"author", parent+"author", "author", parent+parent+"author", "author", "parent x\nauthor", "author", "parent\nauthor",
		"author", parent[:30]+"\nauthor", "author", strings.TrimSuffix(parent, "\n")+" \nauthor", "author", strings.ToUpper(parent)+"author",
		"tree ", "", "tree ", "tree", "tree ", "Tree ", "tree "+emptyTree, "tree "+emptyTree+"0", "tree "+emptyTree, "tree "+emptyTree[:39],
		"tree "+emptyTree, "tree "+emptyTree[:39]+"g", emptyTree, strings.ToUpper(emptyTree), "tree "+emptyTree+"\n", "",
		"\n\nmessage\n", "", "\n\nmessage\n", "\n", "\n\nmessage\n", "\n\n", "\n\nmessage\n", "\nencoding x\n\n", "\n\nmessage\n", "\nencoding x\n",
		"\n\nmessage\n", "\nencoding x", "\n\nmessage\n", "\ngpgsig a\n b\n\nm", "message", "mess\x00age", "message\n", "message\x00", "\n\n", "\nx\x00y\n\n",
		goodCommit, "", goodCommit, "\n", goodCommit, "\n\n", goodCommit, "tree "+emptyTree+"\n\n",
	)
	return replaced(git.KindCommit, goodCommit, pairs...)
}

func tags() []object {
	target := git.SHA1.Hex(idOf(object{git.KindCommit, []byte(goodCommit)}))
	text := "object " + target + "\ntype commit\ntag v1.0\ntagger T Agger <tagger@example.com> 1112912053 +0000\n\nmessage\n"
	pairs := append(signatureFaults("tagger", "T Agger", "tagger@example.com", "1112912053", "+0000"),
		"object ", "", "object ", "object", target, target[:39], target, target[:39]+"g", target, target+"0", target, strings.ToUpper(target),
		"type commit\n", "", "type commit", "type", "type commit", "type ", "type commit", "type Commit", "type commit", "type commits", "type commit", "type x",
		"type commit\n", "type commit\ntype commit\n",
		"tag v1.0\n", "", "tag v1.0", "tag", "tag v1.0", "tag ", "tag v1.0", "tag a b", "tag v1.0", "tag a..b", "tag v1.0", "tag x.lock", "tag v1.0", "tag -x",
		"tag v1.0", "tag a/b", "tag v1.0", "tag a\tb", "tag v1.0", "tag @{", "\n\nmessage\n", "", "\n\nmessage\n", "\n", "\n\nmessage\n", "\n\n",
		"\n\nmessage\n", "\nextra x\n\nm", "\n\nmessage\n", "\ngpgsig x\n y\n\nm", "message", "mess\x00age", "T Agger", "T\x00Agger", text, "", text, "\n\n",
	)
	return replaced(git.KindTag, text, pairs...)
}

// gitmodules are contents of .gitmodules.
func gitmodules() []string {
	var texts []string
	for _, url := range submoduleURLs {
		texts = append(texts, "[submodule \"a\"]\n\turl = \""+strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(url)+"\"\n")
	}
	for _, name := range []string{"a", "", ".", "..", "../a", "a/..", "a/../b", `a\\..\\b`, `a\\..`, "a..", "..a", "a/..b", "...", "a.b", `\"`, `\..`, "a]b", "é", "-a"} {
		texts = append(texts, "[submodule \""+name+"\"]\n\turl = x\n", "[submodule \""+name+"\"]\n\tfoo\n")
	}
	for _, setting := range []string{"path = -a", "path = a-", "path = a/b", "path = \" -a\"", "path", "Path = -a", "update = none", "update = !sh", "update = \" !sh\"",
		"update = checkout", "UPDATE = !x", "update=\"!x\"", "update = x!", "update", "url", "url =", "path =", "path=\"-\"", "url = -x ; comment"} {
		texts = append(texts, "[submodule \"a\"]\n"+setting+"\n")
	}
	return append(texts,
		"[submodule.a]\nurl = -x\n", "[submodule.A.b]\nurl = -x\n", "[Submodule \"a\"]\nurl = -x\n", "[submodule]\nurl = -x\n", "[other \"a\"]\nurl = -x\n",
		"[submodule \"a\"] url = -x\n", "[submodule \"a\"]\nurl = \\\n-x\n", "[submodule \"a\"]\nurl = -x", "[submodule \"a\"]\nurl = -x\n[broken\n",
		"[broken\n[submodule \"a\"]\nurl = -x\n", "[submodule \"a\"\nurl = -x\n", "\xef\xbb\xbf[submodule \"a\"]\nurl = -x\n", "\xef\xbb[submodule \"a\"]\nurl = -x\n",
		"[submodule \"a\"]\r\nurl = -x\r\n", "[submodule \"a\"]\nurl = a\\qb\n", "[submodule \"a\"]\nurl = \"a\n", "# only\n; comments\n", "\x00", "[submodule \"a\x00b\"]\nurl = -x\n",
		"[submodule \"a\"]\nurl = a\x00-x\n", "[submodule \"a\"]\nurl = -a\x00x\n", "[submodule \t \"a\"]\nurl = -x\n", "[submodule \"..\"]\n", "1 = 2\n",
	)
}

var submoduleURLs = []string{
	"-", "-u./x", "./x", "../x", "../../x", "a", "", "/a", "host:path", "ssh://-host/x", "https://example.com/x.git", "HTTPS://x/y", "https://example.com",
	"https:///x", "https://", "https://:80/x", "http://@/x", "http://user@/x", "http://u:p@h/x", "http://u%zz@h/x", "http://h%41/x", "http://h/%zz", "http://h/%", "http://h/%4",
	"http://h/%0a", "http://h/%0A", "http://h/%0d", "http://h/%250a", "http://h/?%0a", "http://h/#%0a", "http://h/?%zz", "http://u%0a@h/", "git://h/%0ahost=x", "git://h/%0d",
	"ssh://h/%0a", "./%0a", "../%0ahost", ".\\%0a", "a%0a", "../:x", "..//x", "../../:x", "./:x", ".//x", ".././/x", "..\\/x", "../.\\:x", "http::https://h/x", "http::h", "http::", "https::/x",
	"ftp://h/x", "ftps://h/%0a", "ftp::%0a", "http::ssh://h/%0a", "http::file:///x", "http::file://:80/x", "http::file://h:80/x", "http::a://h", "http::1a://h", "http::a+b://h", "http::a_b://h",
	"http://h:80/x", "http://h:0/x", "http://h:00080/x", "http://h:65535", "http://h:65536", "http://h:000065536", "http://h:8x/", "http://h:/x", "http://[::1]/x", "http://[::1]:80/x", "http://[::1]:8x",
	"http://h h/x", "http://h_h/x", "http://é/x", "http://h/é", "http://h?x", "http://h#x", "http://h/..", "http://h/../x", "http://h/a/../b", "http://h/a/../../b", "http://h/.", "http://h/./..", "http://h//..",
	"http://h/%2e%2E/x", "http://h/a/%2e.", "http://h/a?/../..", "http://h/a#/../..", "http:/x", "http:x", "http//x", "http://a@b@c/x", "http://h/@", "http://h/a@b%0a", "file:///%0a", "x::y%0a", "http://h/\n", "ssh://h/\n", "a\nb",
}
