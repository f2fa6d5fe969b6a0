package repo

import "time"

// Grace returns Config.Grace. What a ref reached is kept for twice as long after the ref left it.
func (s *Store) Grace() time.Duration { return s.config.Grace }
