package forge_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
)

func TestCheckLogin(t *testing.T) {
	for _, good := range []string{"a", "A", "0", "alice", "Alice-B", "a-b-c", "1-2", strings.Repeat("x", 39), "com", "com10", "console"} {
		if err := forge.CheckLogin(good); err != nil {
			t.Errorf("CheckLogin(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", "-", "-x", "x-", "a--b", "..", ".", ".git", "a/b", "a%2fb", "a b", "a_b", "a.b", "x.git", "x.wiki",
		"api", "API", "Admin", "login", "settings", "healthz", "metrics", "assets", "explore", "CON", "con", "nul", "Com1", "lpt9",
		strings.Repeat("x", 40), "älice", "alice\n", "alice\x00", "а", "\xff"} {
		if err := forge.CheckLogin(bad); forge.KindOf(err) != forge.Invalid {
			t.Errorf("CheckLogin(%q): %v, want Invalid", bad, err)
		}
	}
}

func TestCheckRepositoryName(t *testing.T) {
	for _, good := range []string{"a", "hello-world", "hello_world", ".github", "x.y", "v1.2.3", "api", "_", "a-", "git", "gitx",
		"console", "com", "com10", strings.Repeat("x", 100), "wiki"} {
		if err := forge.CheckRepositoryName(good); err != nil {
			t.Errorf("CheckRepositoryName(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", ".", "..", "...", "a.", ".git", "x.git", "x.GIT", "x.wiki", "x.Wiki", "x.lock", "x.atom", "x.rss", "x.bundle",
		"-x", "--upload-pack=x", "a/b", "../x", "a\\b", "a%2fb", "a b", "a:b", "a\nb", "a\x00", "CON", "nul", "aux.txt", "Com1.tar.gz", "lpt9",
		strings.Repeat("x", 101), "ä", "\xff", "a~1", "a*", "a?"} {
		if err := forge.CheckRepositoryName(bad); forge.KindOf(err) != forge.Invalid {
			t.Errorf("CheckRepositoryName(%q): %v, want Invalid", bad, err)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"": "", "abc-1": "abc-1", "AbC": "abc", "xÄY": "xÄy", "İK": "İk"} {
		if got := forge.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckEmail(t *testing.T) {
	for _, good := range []string{"a@b", "alice+x@example.org", "jürgen@müller.de", "o'neil@example.org"} {
		if err := forge.CheckEmail(good); err != nil {
			t.Errorf("CheckEmail(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", "a", "@", "a@", "@b", "a b@c", "a@b\n", "a@b>", "<a@b", "a@b,c@d", "a@\xff", "a@b\x00", strings.Repeat("x", 260) + "@b"} {
		if err := forge.CheckEmail(bad); forge.KindOf(err) != forge.Invalid {
			t.Errorf("CheckEmail(%q): %v, want Invalid", bad, err)
		}
	}
}

func TestCheckLine(t *testing.T) {
	for _, good := range []string{"", "hello", "grüße <b> \uFFFD", strings.Repeat("x", 20)} {
		if err := forge.CheckLine("f", good, 20); err != nil {
			t.Errorf("CheckLine(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"a\nb", "\x1b[31m", "\x00", "\x7f", "\u009b31m", "a\u2028b", "\xff", strings.Repeat("x", 21)} {
		if err := forge.CheckLine("f", bad, 20); forge.KindOf(err) != forge.Invalid {
			t.Errorf("CheckLine(%q): %v, want Invalid", bad, err)
		}
	}
}

func TestScopes(t *testing.T) {
	for in, want := range map[string]string{"": "", "repo": "repo", "repo,admin": "admin, repo", " user  repo,repo,": "repo, user",
		"admin:public_key read:repo": "admin:public_key, read:repo"} {
		got, err := forge.ParseScopes(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseScopes(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"repos", "REPO", "repo;user", "*", strings.Repeat("repo,", 1000)} {
		if _, err := forge.ParseScopes(bad); forge.KindOf(err) != forge.Invalid {
			t.Errorf("ParseScopes(%.20q): %v, want Invalid", bad, err)
		}
	}
}

func TestRoles(t *testing.T) {
	for r := forge.RoleNone; r <= forge.RoleAdmin; r++ {
		if got, err := forge.ParseRole(r.String()); err != nil || got != r {
			t.Errorf("ParseRole(%q) = %v, %v", r, got, err)
		}
	}
	if r, err := forge.ParseRole("push"); err != nil || r != forge.RoleWrite {
		t.Errorf("ParseRole(push) = %v, %v", r, err)
	}
	if _, err := forge.ParseRole("owner"); forge.KindOf(err) != forge.Invalid {
		t.Errorf("ParseRole(owner): %v, want Invalid", err)
	}
}

// TestCaller: limits count a customer's IPv6 network as one, and a user as one
// wherever it comes from.
func TestCaller(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64"} {
		if got := forge.Anonymous(netip.MustParseAddr(in)).Caller(); got != want {
			t.Errorf("caller at %s is %q, want %q", in, got, want)
		}
	}
	a := user(3)
	a.Address = netip.MustParseAddr("192.0.2.1")
	if got := a.Caller(); got != "user 3" {
		t.Errorf("caller of user 3 is %q", got)
	}
}
