package git_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/git"
)

// refNames are names about which one could be in doubt.
var refNames = []string{
	"refs/heads/main", "refs/heads/a/b/c", "refs/tags/v1.0", "refs/heads/@", "@", "@/a", "a/@", "HEAD", "main", "", "/", "a/", "/a", "a//b", "refs/heads/",
	"a/.b", ".a/b", "a/b.", "a/b./c", "a/..b", "a/b..c", "a/.", "a/..", "a/b.lock", "a.lock/b", "a/b.lockx", "a/.lock", "a/lock", "a/b.LOCK", "a/b.lock/c",
	"a/b@{c", "a/b@c", "a/{b}", "a/@{", "a/b@", "a/b c", "a/b~1", "a/b^", "a/b:c", "a/b?", "a/b*", "a/b[", "a/b]", "a/b\\c", "a/\x01", "a/\x7f", "a/\t", "a/\n",
	"refs/heads/é", "refs/heads/日本", "refs/heads/-a", "-a/b", "a/-", "a/b\"c", "a/b'c", "a/$(x)", "a/<b>", "a/b|c", "a/b;c", "a/b&c", "a/%00", "refs/heads/" + strings.Repeat("a", 200),
}

func TestCheckRefNameLikeGit(t *testing.T) {
	o := newOracle(t, git.SHA1)
	names := refNames
	r := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		const bytes = "/.@{~^:?*[\\ lockab-\x01\x7f"
		name := []byte(refNames[r.IntN(len(refNames))])
		for range 1 + r.IntN(3) {
			at := r.IntN(len(name) + 1)
			name = append(name[:at:at], append([]byte{bytes[r.IntN(len(bytes))]}, name[at:]...)...)
		}
		names = append(names, string(name))
	}
	for _, name := range names {
		_, refused := o.try(nil, "check-ref-format", name)
		if err := git.CheckRefName(name); (err != nil) != (refused != nil) {
			t.Errorf("%q: %v, but git says %v", name, err, refused)
		}
	}
}

// TestCheckRefNameAlone has the rules that git does not have.
func TestCheckRefNameAlone(t *testing.T) {
	long := "refs/heads/" + strings.Repeat("a", git.MaxRefName-len("refs/heads/"))
	if err := git.CheckRefName(long); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		long + "a":          "longer than 1024 bytes",
		"refs/heads/\xff":   "not valid UTF-8",
		"refs/heads/a\x00b": "control character at byte 12",
		"refs/heads/a b":    `' ' is not allowed`,
		"refs/heads/a.lock": "ends with .lock",
		"refs/heads/.a":     "starts with a dot",
		"main":              "not a full name",
	} {
		err := git.CheckRefName(name)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 || !utf8.ValidString(err.Error()) {
			t.Errorf("%.40q: got %v, want %q", name, err, want)
		}
	}
}

func FuzzCheckRefName(f *testing.F) {
	for _, name := range refNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if git.CheckRefName(name) != nil {
			return
		}
		// What is accepted can be a path of a file and a word of a protocol.
		if strings.ContainsAny(name, " \n\x00\\~^:?*[") || strings.Contains("/"+name+"/", "/../") || !utf8.ValidString(name) ||
			strings.HasPrefix(name, "/") || len(name) > git.MaxRefName || !strings.Contains(name, "/") {
			t.Fatalf("%q is accepted", name)
		}
	})
}
