package git

// NameHash is git's pack_name_hash: a number that grows mostly with the last
// sixteen bytes of a path, so that files of one kind and of one name sort
// together wherever they are. It goes on from the hash of what comes before name
// in the path; that of nothing is 0.
func NameHash[S string | []byte](before uint32, name S) uint32 {
	h := before
	for i := range len(name) {
		c := name[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			continue
		}
		h = h>>2 + uint32(c)<<24
	}
	return h
}
