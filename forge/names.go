package forge

import "strings"

// Limits of names, in bytes; GitHub's.
const (
	MaxLogin          = 39
	MaxRepositoryName = 100
	MaxEmail          = 254
)

// CheckLogin returns nil if login may be a user's: ASCII letters, digits and
// single hyphens, not at the ends, at most MaxLogin; no word that the server's
// own addresses use, no device name of Windows. Otherwise the error is Invalid.
func CheckLogin(login string) error {
	if login == "" {
		return Invalidf("login", CodeMissingField, "Login is missing")
	}
	if !IsLogin(login) {
		return Invalidf("login", CodeInvalid, "Login may only contain alphanumeric characters or single hyphens, "+
			"may not begin or end with a hyphen, and is at most %d characters long", MaxLogin)
	}
	if folded := Fold(login); reservedLogins[folded] || isDevice(folded) {
		return Invalidf("login", CodeInvalid, "Login %q is reserved", login)
	}
	return nil
}

// IsLogin reports whether login has the form of one, reserved or not.
func IsLogin(login string) bool {
	if login == "" || len(login) > MaxLogin || login[0] == '-' || login[len(login)-1] == '-' {
		return false
	}
	for i := range len(login) {
		if c := login[i]; !isAlphanumeric(c) && (c != '-' || login[i-1] == '-') {
			return false
		}
	}
	return true
}

// reservedLogins are first segments of the server's own addresses, now or
// likely later, and names that would mislead. Logins of Debian's and Windows'
// system accounts are not among them: no login becomes an account of the machine.
var reservedLogins = set("about", "account", "admin", "administrator", "anonymous", "api", "apps", "assets", "attachments",
	"auth", "avatars", "blog", "codeload", "contact", "dashboard", "debug", "docs", "enterprise", "error", "events",
	"explore", "favicon", "features", "feed", "files", "ghost", "git", "graphql", "healthz", "help", "home",
	"import", "info", "ingot", "integrations", "invitations", "issues", "join", "languages", "legal", "lfs", "live",
	"login", "logout", "machine", "manifest", "marketplace", "mcp", "metrics", "milestones", "mirror", "new",
	"none", "notifications", "oauth", "objects", "orgs", "organizations", "pages", "password", "pricing", "privacy",
	"public", "pulls", "raw", "readyz", "register", "releases", "repo", "repos", "repositories", "robots", "root", "search",
	"security", "session", "sessions", "settings", "setup", "signin", "signout", "signup", "site", "sitemap", "sponsors",
	"ssh", "staff", "stars", "static", "status", "support", "system", "teams", "terms", "topics", "trending", "uploads",
	"user", "users", "v1", "v2", "v3", "verify", "version", "webhooks", "well-known", "wiki", "worktrees", "www")

// CheckRepositoryName returns nil if name may be a repository's: ASCII letters,
// digits, '.', '-', '_', at most MaxRepositoryName; not "." or "..", no leading
// '-' (it would read as an option), no trailing '.', no ".git" or the like at
// its end, no device name of Windows. Otherwise the error is Invalid.
func CheckRepositoryName(name string) error {
	if name == "" {
		return Invalidf("name", CodeMissingField, "Repository name is missing")
	}
	if len(name) > MaxRepositoryName {
		return Invalidf("name", CodeInvalid, "Repository name is too long (maximum is %d characters)", MaxRepositoryName)
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return Invalidf("name", CodeInvalid, "Repository name may only contain ASCII letters, digits, and the characters ., -, and _")
		}
	}
	if name[0] == '-' || name[len(name)-1] == '.' {
		return Invalidf("name", CodeInvalid, "Repository name may not begin with a hyphen or end with a dot")
	}
	folded := Fold(name)
	for _, end := range reservedEnds {
		if strings.HasSuffix(folded, end) {
			return Invalidf("name", CodeInvalid, "Repository name may not end in %q", end)
		}
	}
	if base, _, _ := strings.Cut(folded, "."); isDevice(base) {
		return Invalidf("name", CodeInvalid, "Repository name %q is reserved", name)
	}
	return nil
}

// reservedEnds would make a repository's address ambiguous: with and without
// ".git", its wiki, its bundles, its feeds, a lock beside a file.
var reservedEnds = []string{".git", ".wiki", ".bundle", ".lock", ".atom", ".rss"}

// Fold returns the key under which a login, an e-mail or a repository's name is
// unique. Names are ASCII, so no locale's rules come in; other bytes stay.
func Fold(name string) string {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			folded := []byte(name)
			for ; i < len(folded); i++ {
				if 'A' <= folded[i] && folded[i] <= 'Z' {
					folded[i] += 'a' - 'A'
				}
			}
			return string(folded)
		}
	}
	return name
}

// CheckEmail returns nil if address has the form of an e-mail address that can
// stand in a commit: something, '@', something, printable, without spaces or
// angle brackets. "" is no address. Whether it is anybody's is not looked at.
func CheckEmail(address string) error {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 || len(address) > MaxEmail {
		return Invalidf("email", CodeInvalid, "E-mail address %q is not valid", clip(address))
	}
	for _, r := range address {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("<>()[],;:\\\"", r) || r == '\uFFFD' {
			return Invalidf("email", CodeInvalid, "E-mail address %q is not valid", clip(address))
		}
	}
	return nil
}

// CheckLine returns nil if text is one line of at most limit bytes of valid
// UTF-8 without control characters, which a terminal or a header might act on.
func CheckLine(field, text string, limit int) error {
	if len(text) > limit {
		return Invalidf(field, CodeInvalid, "%s is too long (maximum is %d bytes)", field, limit)
	}
	for i, r := range text {
		if r < ' ' || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029' ||
			r == '\uFFFD' && !strings.HasPrefix(text[i:], "\uFFFD") {
			return Invalidf(field, CodeInvalid, "%s may not contain control characters", field)
		}
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isDevice reports whether a folded name is one that Windows takes for a device
// in every directory: an archive or checkout with it cannot be unpacked there.
func isDevice(folded string) bool {
	switch folded {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(folded) == 4 && (folded[:3] == "com" || folded[:3] == "lpt") && '0' <= folded[3] && folded[3] <= '9'
}

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, word := range words {
		m[word] = true
	}
	return m
}
