package transfer

// SetPlanned sets from how many objects on a fetch is told from sets alone.
func SetPlanned(s *Server, objects int) { s.maxPlanned = objects }
