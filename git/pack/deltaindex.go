package pack

// DeltaIndex finds the blocks of one base, to make deltas against it; like
// git's diff-delta.c. It may be used from several goroutines at once.
type DeltaIndex struct{}

// NewDeltaIndex prepares base, which it keeps.
func NewDeltaIndex(base []byte) *DeltaIndex { panic("contract") }

// Create appends the delta that makes target out of the base, or returns nil
// when it would exceed maxSize bytes (0: no limit).
func (x *DeltaIndex) Create(dst, target []byte, maxSize int) []byte { panic("contract") }
