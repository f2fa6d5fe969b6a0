package pack

// DeltaSizes reads the two sizes that start a delta: of its base and of its
// result.
func DeltaSizes(delta []byte) (base, result int64, rest []byte, err error) { panic("contract") }

// ApplyDelta appends to dst what delta makes of base. It checks every length
// and range; a bad delta is git.ErrCorrupt. limit bounds the result's size.
func ApplyDelta(dst, base, delta []byte, limit int64) ([]byte, error) { panic("contract") }

// DeltaIndex finds the blocks of one base, to make deltas against it; like
// git's diff-delta.c. It may be used from several goroutines at once.
type DeltaIndex struct{}

// NewDeltaIndex prepares base, which it keeps.
func NewDeltaIndex(base []byte) *DeltaIndex { panic("contract") }

// Create appends the delta that makes target out of the base, or returns nil
// when it would exceed maxSize bytes (0: no limit).
func (x *DeltaIndex) Create(dst, target []byte, maxSize int) []byte { panic("contract") }
