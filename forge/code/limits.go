package code

import (
	"errors"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/git/diff"
)

// MaxDiff bounds a diff or a series of patches as text, in bytes.
const MaxDiff = 32 << 20

// codeTooLarge is GitHub's code for what its API does not show.
const codeTooLarge = "too_large"

// errTooLarge is GitHub's answer about a diff that it does not show.
func errTooLarge() error {
	return &forge.Error{Kind: forge.Invalid, Message: "Sorry, this diff is taking too long to generate.",
		Fields: []forge.FieldError{{Field: "diff", Code: codeTooLarge, Message: "The diff is larger than what is shown"}}}
}

func tooLarge(err error) error {
	var limit *diff.LimitError
	if errors.As(err, &limit) {
		return errTooLarge()
	}
	return err
}

// MaxContent is the size of the largest file that is shown, in bytes: GitHub's.
const MaxContent = 100 << 20

// ErrBlobTooLarge is the answer about a file beyond MaxContent.
func ErrBlobTooLarge() error {
	return &forge.Error{Kind: forge.Denied, Message: "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch " +
		"via the API, but you can always clone the repository via Git in order to obtain it.",
		Fields: []forge.FieldError{{Resource: "Blob", Field: "data", Code: codeTooLarge}}}
}

func errTooManyFiles() error {
	return &forge.Error{Kind: forge.Invalid, Message: "The tree has too many files to be added up"}
}
