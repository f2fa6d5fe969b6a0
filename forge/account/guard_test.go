package account_test

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

func retryAfter(err error) time.Duration {
	var e *forge.Error
	if errors.As(err, &e) && e.Kind == forge.Exhausted {
		return e.RetryAfter
	}
	return 0
}

// TestGuessing: a thousand guesses without a pause come to a handful, and the
// owner, elsewhere, does not notice.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		judged := 0
		for range 1000 {
			_, err := w.SignIn(t.Context(), "alice", "wrong", there)
			if retryAfter(err) == 0 {
				wantKind(t, "guess", err, forge.Denied)
				judged++
			}
		}
		if judged != 6 {
			t.Errorf("%d of 1000 guesses were judged, want 6", judged)
		}
		_, err := w.SignIn(t.Context(), "alice", password, there)
		if retryAfter(err) == 0 {
			t.Errorf("right password from the guesser's place: %v, want Exhausted", err)
		}
		if _, err := w.SignIn(t.Context(), "alice", password, here); err != nil {
			t.Errorf("the owner, from elsewhere: %v", err)
		}
		// Who waits as told gets on, and a success starts anew.
		time.Sleep(retryAfter(err) + time.Second)
		if _, err := w.SignIn(t.Context(), "alice", password, there); err != nil {
			t.Errorf("after waiting: %v", err)
		}
		for range 5 {
			_, err := w.SignIn(t.Context(), "alice", "wrong", there)
			wantKind(t, "guess after a success", err, forge.Denied)
		}
	})
}

// TestGuessingPatiently: who always waits as told is slowed to one guess in
// five minutes.
func TestGuessingPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		start, judged := time.Now(), 0
		for time.Since(start) < 4*time.Hour {
			_, err := w.SignIn(t.Context(), "alice", "wrong", there)
			if wait := retryAfter(err); wait > 0 {
				time.Sleep(wait)
			} else {
				judged++
			}
		}
		if judged < 20 || judged > 65 {
			t.Errorf("%d guesses in four hours, want some 60", judged)
		}
	})
}

// TestGuessingManyUsers: guessing one password at many users is slowed by place.
func TestGuessingManyUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		judged := 0
		for i := range 500 {
			// Addresses of one IPv6 network are one place.
			from := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
			_, err := w.SignIn(t.Context(), "user"+string(rune('a'+i%26))+string(rune('a'+i/26)), "123456", from)
			if retryAfter(err) == 0 {
				judged++
			}
		}
		if judged != 31 {
			t.Errorf("%d of 500 guesses at as many users were judged, want 31", judged)
		}
		if _, err := w.SignIn(t.Context(), "alice", password, here); err != nil {
			t.Errorf("alice, from elsewhere: %v", err)
		}
	})
}

// TestGuessingTokens: made-up tokens are slowed, good ones from the same place
// are not.
func TestGuessingTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		secret, _, err := w.CreateToken(t.Context(), w.actor, "alice", account.NewToken{})
		if err != nil {
			t.Fatal(err)
		}
		denied := 0
		for range 1000 {
			_, err := w.Token(t.Context(), "ingot_x", there)
			if retryAfter(err) == 0 {
				denied++
			}
		}
		if denied != 31 {
			t.Errorf("%d of 1000 bad tokens were Denied and not Exhausted, want 31", denied)
		}
		if _, err := w.Token(t.Context(), secret, there); err != nil {
			t.Errorf("good token from the same place: %v", err)
		}
	})
}

// TestGuessingAtOnce: guesses sent together get no further than so many as are
// hashed at once beyond the free ones.
func TestGuessingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		errs := make(chan error)
		for range 100 {
			go func() {
				_, err := w.SignIn(t.Context(), "alice", "wrong", there)
				errs <- err
			}()
		}
		judged := 0
		for range 100 {
			if err := <-errs; retryAfter(err) == 0 {
				judged++
			}
		}
		if judged > 8 {
			t.Errorf("%d of 100 guesses sent at once were judged, want at most 8", judged)
		}
	})
}
