// Package history walks the graph of commits and what hangs from it. It sees a
// repository only as git.Objects, so it runs on a map in tests.
package history

import (
	"context"

	"github.com/ingot-forge/ingot/git"
)

// Request says which objects a fetch is after.
type Request struct {
	Format git.Format
	Wants  []git.ID // objects of any kind
	Haves  []git.ID // what the client has, with all that hangs from it, up to Shallow
	// Shallow are the commits whose parents the client does not have.
	Shallow []git.ID
	// Boundary are the commits that become shallow on the client by this
	// fetch: their parents are not sent. Unshallow are those that cease to be:
	// their parents are wanted although the client has the commits themselves.
	Boundary, Unshallow []git.ID
	Filter              *Filter // nil: everything
	// ExcludeBases leaves the objects at the edge out of the result's Bases.
	Thin bool
	// Known reports, if not nil, that an object is on the server; haves that
	// are not are ignored by the caller beforehand.
}

// Object is one object to send. Name is its path in the tree where it was
// first met, which places similar objects beside each other when deltas are searched.
type Object struct {
	ID       git.ID
	Kind     git.Kind
	NameHash uint32 // git's pack_name_hash of the path
}

// Missing returns the objects reachable from the wants and not from the haves,
// commits first (newest first), then tags, trees and blobs, each once. When
// r.Thin is set, bases lists trees and blobs at the edge that the client has,
// against which deltas may be made. A want that
// is named explicitly is sent even if the filter would leave it out.
// report, which may be nil, hears how many objects have been found so far.
func Missing(ctx context.Context, objects git.Objects, r Request, report func(found int)) (send []Object, bases []git.ID, err error) {
	panic("contract")
}

// Filter leaves objects out of a fetch, as git-rev-list(1) --filter has it.
type Filter struct{}

// ParseFilter reads a filter spec of the protocol: blob:none, blob:limit=<n>[kmg],
// tree:<depth>, object:type=<kind>, sparse:oid=<id>, combine:<spec>+<spec>
// (parts percent-encoded). At most MaxFilterParts parts. sparse:oid takes an id (or, resolved by
// resolve, a name like "main:path") of a blob that resolve must vouch for.
func ParseFilter(spec string, resolve func(name string) (git.ID, error)) (*Filter, error) {
	panic("contract")
}

// MaxFilterParts bounds the parts of a combined filter.
const MaxFilterParts = 16

// String returns the normalised spec.
func (f *Filter) String() string { panic("contract") }

// Depth says how far a shallow fetch reaches, as the protocol's deepen lines do.
type Depth struct {
	Commits  int      // deepen: at most so many commits along each line; 0 if not asked
	Relative bool     // deepen-relative: counted from the client's present boundary
	Since    int64    // deepen-since: seconds; 0 if not asked
	Not      []git.ID // deepen-not: not what these reach
}

// Infinite is the Commits that asks for the whole history (git's 0x7fffffff, --unshallow).
const Infinite = 0x7fffffff

// Shallow computes the boundary of a shallow fetch: the commits to send as
// shallow and those of the client's shallow commits that no longer are.
// It equals stock git's answer for the same request.
func Shallow(ctx context.Context, objects git.Objects, f git.Format, wants, clientShallow []git.ID, d Depth) (boundary, unshallow []git.ID, err error) {
	panic("contract")
}

// Reachable reports which of the targets are reachable from the tips: commits
// through parents, other objects through trees and tags. It stops as soon as all are found.
func Reachable(ctx context.Context, objects git.Objects, f git.Format, tips, targets []git.ID) (map[git.ID]bool, error) {
	panic("contract")
}

// ReadyToSend reports whether every want has a common commit among its ancestors (or
// is one), so that negotiation can end: upload-pack's ok_to_give_up.
func ReadyToSend(ctx context.Context, objects git.Objects, f git.Format, wants, common []git.ID) (bool, error) {
	panic("contract")
}
