package transfer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git/repo"
)

// NonceStatus says whether a signed push was made for this server and now, in
// the words of receive-pack's GIT_PUSH_CERT_NONCE_STATUS.
type NonceStatus string

const (
	NonceOK          NonceStatus = "OK"
	NonceSlop        NonceStatus = "SLOP" // ours, but of another time: see Push.NonceSlop
	NonceBad         NonceStatus = "BAD"
	NonceMissing     NonceStatus = "MISSING"
	NonceUnsolicited NonceStatus = "UNSOLICITED" // none was asked for
)

// nonce returns what a signed push to a repository has to carry from now on; ""
// if signed pushes are not offered.
func (s *Server) nonce(id repo.ID) string {
	if len(s.NonceSeed) == 0 {
		return ""
	}
	return s.nonceOf(id, time.Now().Unix())
}

// nonceOf binds a time to a repository, so that a certificate cannot be used
// again elsewhere. The form is git's: seconds, a dash, an HMAC.
func (s *Server) nonceOf(id repo.ID, seconds int64) string {
	mac := hmac.New(sha256.New, s.NonceSeed)
	fmt.Fprintf(mac, "%d:%d", id, seconds)
	return fmt.Sprintf("%d-%s", seconds, hex.EncodeToString(mac.Sum(nil)))
}

// checkNonce judges what a certificate carries. given is what this conversation
// advertised; over HTTP the advertisement was another request, perhaps to another
// node, so any nonce of ours is recognised and its age told.
func (s *Server) checkNonce(id repo.ID, got string, found bool, given string, stateless bool) (NonceStatus, time.Duration) {
	switch {
	case !found:
		return NonceMissing, 0
	case given == "":
		return NonceUnsolicited, 0
	case hmac.Equal([]byte(got), []byte(given)):
		return NonceOK, 0
	case !stateless:
		return NonceBad, 0
	}
	stamp, _, _ := strings.Cut(got, "-")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !hmac.Equal([]byte(got), []byte(s.nonceOf(id, seconds))) {
		return NonceBad, 0
	}
	// The HMAC matches, so seconds is a time that a node of ours wrote.
	stamp, _, _ = strings.Cut(given, "-")
	now, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return NonceBad, 0
	}
	return NonceSlop, time.Duration(now-seconds) * time.Second
}
