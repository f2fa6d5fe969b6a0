package forge

// Limits of names, in bytes; GitHub's.
const (
	MaxLogin          = 39
	MaxRepositoryName = 100
)

// CheckLogin returns nil if login may be a user's: ASCII letters, digits and
// single hyphens, not at the ends, at most MaxLogin; no word that the server's own
// addresses use, no device name of Windows. Otherwise the error is Invalid.
func CheckLogin(login string) error { panic("contract") }

// CheckRepositoryName returns nil if name may be a repository's: ASCII letters,
// digits, '.', '-', '_', at most MaxRepositoryName; not "." or "..", no ".git"
// or the like at its end, no leading '-', no device name of Windows. Otherwise the error is
// Invalid.
func CheckRepositoryName(name string) error { panic("contract") }

// Fold returns the key under which a login or a repository's name is unique.
func Fold(name string) string { panic("contract") }
