package git

// Hasher computes object ids. The zero Hasher is not usable; one Hasher serves
// one goroutine.
type Hasher struct {
	format Format
}

// NewHasher returns a Hasher for ids of format f.
func NewHasher(f Format) *Hasher { panic("contract") }

// Hash returns the id of a whole object. It fails with ErrCollision, only.
func (h *Hasher) Hash(kind Kind, data []byte) (ID, error) { panic("contract") }

// Start begins an object whose size bytes of content then come by Write.
func (h *Hasher) Start(kind Kind, size int64) { panic("contract") }

// Write adds content. It never fails.
func (h *Hasher) Write(p []byte) (int, error) { panic("contract") }

// Sum ends what Start began. It fails with ErrCollision, only.
func (h *Hasher) Sum() (ID, error) { panic("contract") }
