package account

// HoldHashes runs during while nobody gets a turn to hash a password.
func (s *Service) HoldHashes(during func()) {
	for range cap(s.hasher.turns) {
		s.hasher.turns <- struct{}{}
	}
	during()
	for range cap(s.hasher.turns) {
		<-s.hasher.turns
	}
}
