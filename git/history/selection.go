package history

import (
	"context"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/bitmap"
)

// Selection is what a fetch needs, in the terms in which it is stored: sets of positions
// where there are bitmaps, a list for the rest.
type Selection struct {
	// Send is the set of positions (of Request.Bitmaps) to send; nil if the
	// answer was found without bitmaps, and then Objects lists everything.
	Send bitmap.Set
	// Has is what the client has, all of it that has a position; nil if
	// that is not known. Deltas may be sent against these.
	Has bitmap.Set
	// Objects are further objects to send, in the order that Missing
	// describes, each once and none of them in Send.
	Objects []Object
	// Bases are objects at the edge that the client has, with their paths: what
	// new deltas may start from. Only if Request.Thin.
	Bases []Object
	// Count is how many objects are to be sent in all.
	Count int
}

// Select is Missing for requests with bitmaps. It uses them where they help: a small fetch
// walks from the new commits to the edge, and sends exactly what Missing would; a large one takes the sets of
// the bitmaps nearest to wants and haves, and walks only what lies above them. Either way
// nothing is sent that the client is known to have. Errors are those of Missing.
func Select(ctx context.Context, objects git.Objects, r Request, report func(found int)) (*Selection, error) {
	panic("contract")
}

// Known answers whether objects are reachable from tips: what somebody who may read the tips may read
// by id, and what a push may lean on. It may be asked many times and remembers what it has walked; it serves one goroutine.
type Known struct{}

// NewKnown returns a Known of the tips, objects of any kind. graph and bitmaps may be nil.
func NewKnown(objects git.Objects, f git.Format, tips []git.ID, d Derived) *Known { panic("contract") }

// Missing returns those of ids that the tips do not reach (or that do not exist), in their order. near, which may be nil, are
// commits from whose trees to look first: an object that hangs from one of them that the tips reach is found
// without a walk of all. The order of cost: a tip; a position that a bitmap has; the trees of near; all trees.
func (k *Known) Missing(ctx context.Context, ids, near []git.ID) ([]git.ID, error) { panic("contract") }
