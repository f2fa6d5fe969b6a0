package api

import (
	"io"
	"net/http"

	"github.com/ingot-forge/ingot/git/archive"
)

// archive answers a tarball or zipball. GitHub redirects to another host for it: see
// docs/decisions/0025-archive.md.
func (a *api) archive(kind string) func(*request) (*result, error) {
	format, media := archive.TarGz, "application/x-gzip"
	if kind == "zipball" {
		format, media = archive.Zip, "application/zip"
	}
	return func(r *request) (*result, error) {
		return a.read(r, func(o *opened) (*result, error) {
			name := r.param("*")
			commit, err := o.Commit(r.Context(), name)
			if err != nil {
				return nil, err
			}
			made, err := o.Archive(r.Context(), commit, format)
			if err != nil {
				return nil, err
			}
			return &result{status: http.StatusOK, media: media, filename: made.Name, tag: `"` + o.Hex(commit) + "-" + kind + `"`, forever: o.isID(name),
				stream: func(w io.Writer) error { return made.Write(r.Context(), w) }}, nil
		})
	}
}
