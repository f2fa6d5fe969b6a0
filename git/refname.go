package git

// MaxRefName is the longest ref name taken, in bytes. Git's own limit is the
// file system's; this is the one of packed-refs users in practice.
const MaxRefName = 1024

// CheckRefName returns nil if name is a full ref name ("refs/heads/main") that
// git check-ref-format accepts and that is at most MaxRefName bytes of valid
// UTF-8; the error says which rule it breaks. It is the one validator of ref names.
func CheckRefName(name string) error { panic("contract") }
