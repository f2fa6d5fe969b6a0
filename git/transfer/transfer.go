// Package transfer speaks the git protocol over any pair of streams: the
// serving end of clone, fetch, push and archive. It knows no HTTP and no SSH;
// what those two add (how a version is asked for, where one request ends) comes
// in by options.
package transfer

import (
	"context"
	"io"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/repo"
)

// Version is a protocol version: 0, 1 or 2.
type Version int

// ParseVersion reads what a client asks for in GIT_PROTOCOL or the Git-Protocol
// header ("version=2:key=value"); anything unknown is version 0.
func ParseVersion(s string) Version { panic("contract") }

// Limits bound what a request may cost; past one, the client gets an ERR line
// or an error on the sideband. Zero fields mean their defaults.
type Limits struct {
	Wants, Haves, Shallows int // lines of each kind in one request
	RefPrefixes            int
	Commands               int // ref updates in one push
	PushOptions            int
	PushOptionBytes        int // all of them
	CertBytes              int
}

// Server serves one node's git protocol. It may serve any number of sessions at once.
type Server struct {
	Store  *repo.Store
	Agent  string // "ingot/1.2.3"
	Limits Limits
}

// UploadOptions say how a fetch is served.
type UploadOptions struct {
	Version Version
	// Stateless: every request stands alone, as over HTTP. Otherwise the
	// conversation, advertisement included, runs over r and w to its end.
	Stateless bool
	// HideRefs reports refs that are neither listed nor fetched from; may be nil.
	HideRefs func(name string) bool
	// Served hears, after an answer with a pack, what was sent; may be nil.
	Served func(objects int, bytes int64)
}

// AdvertiseUpload writes what a client reads first from git-upload-pack:
// version 0 or 1 refs with capabilities, or version 2's capabilities. Over HTTP the "# service"
// line comes first.
func (s *Server) AdvertiseUpload(ctx context.Context, snap *repo.Snapshot, w io.Writer, o UploadOptions) error {
	panic("contract")
}

// Upload serves one request (Stateless) or one whole conversation. Errors that
// the client was told of are returned too, for the log; see Told.
func (s *Server) Upload(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer, o UploadOptions) error {
	panic("contract")
}

// Push is what a client asks receive-pack for.
type Push struct {
	Commands    []repo.RefUpdate
	Atomic      bool
	Options     []string // push options, in order
	Certificate []byte   // a signed push's certificate, as sent; nil otherwise
}

// ReceiveOptions say how a push is served.
type ReceiveOptions struct {
	Version   Version
	Stateless bool
	HideRefs  func(name string) bool
	Who       string // goes to the ref log
	// Accept is asked once, after the pack is stored and checked and before
	// anything becomes visible. refuse[i], if not "", is why command i is not
	// carried out ("protected branch"); with Atomic one refusal stops all.
	// event is appended to the event log with the commit; remaining is what is about to move. An error
	// refuses everything. May be nil.
	Accept func(ctx context.Context, p *Push) (refuse []string, event func(moved []repo.RefUpdate) *repo.Event, err error)
	// Progress chooses whether sideband progress is sent unless the client asked for quiet.
}

// Report is what a push came to.
type Report struct {
	Moved   []repo.RefUpdate
	Refused map[string]string // ref name to reason
	Objects int
	Bytes   int64
	Version int64 // of the repository afterwards; 0 if nothing moved
}

// AdvertiseReceive writes what a client reads first from git-receive-pack.
func (s *Server) AdvertiseReceive(ctx context.Context, snap *repo.Snapshot, w io.Writer, o ReceiveOptions) error {
	panic("contract")
}

// Receive serves one push (Stateless) or one whole conversation. The report
// tells what happened also when err is not nil.
func (s *Server) Receive(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer, o ReceiveOptions) (*Report, error) {
	panic("contract")
}

// Archive serves one git-upload-archive conversation (git archive --remote):
// formats tar, tar.gz, zip; --prefix; a tree-ish and paths. Only what refs reach may be named.
func (s *Server) Archive(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer) error {
	panic("contract")
}

// Told is matched by errors that were already reported to the client in the
// protocol, so that a caller does not answer twice.
var Told error

var _ git.ID
