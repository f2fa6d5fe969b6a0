package git

// SumRaw hashes data without an object's header, as no caller can: an attack is
// made for the bytes that come first, and those are the header.
func (h *Hasher) SumRaw(data []byte) (ID, error) {
	h.sum.Reset()
	h.Write(data)
	return h.Sum()
}
