package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/ingot-forge/ingot/forge"
)

// Limits of passwords, in bytes. The lower one does not bind the operator at the
// machine, who may have reasons.
const (
	MinPassword = 8
	MaxPassword = 1024
)

func checkPassword(actor *forge.Actor, password string) error {
	switch {
	case len(password) > MaxPassword:
		return forge.Invalidf("password", forge.CodeInvalid, "Password is too long (maximum is %d bytes)", MaxPassword)
	case password != "" && len(password) < MinPassword && actor.Credential.Kind != forge.ByMachine:
		return forge.Invalidf("password", forge.CodeInvalid, "Password is too short (minimum is %d characters)", MinPassword)
	}
	return nil
}

// The cost of a hash: the second of the settings that OWASP recommends for
// argon2id. A sign-in takes about 25 ms of one core and 19 MiB.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// Bounds of what a stored hash may ask for: more would let a row of the store
// take the node down.
const (
	maxArgonMemory  = 256 * 1024
	maxArgonTime    = 16
	maxArgonThreads = 16
	maxArgonBytes   = 64 // of salt and of key
)

// Waiting for a turn to hash is bounded in number and time: every other sign-in
// behind a flood of them would otherwise take as long as the flood.
const (
	maxWaiting = 256
	maxWait    = 10 * time.Second
)

// hasher computes password hashes, a bounded number at once.
type hasher struct {
	turns   chan struct{}
	waiting atomic.Int64
}

func newHasher(atOnce int) *hasher { return &hasher{turns: make(chan struct{}, atOnce)} }

// turn waits until the caller may hash, and returns what ends it.
func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	busy := forge.Exhaustedf(5*time.Second, "Too many sign-ins at once")
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, busy
	}
	defer h.waiting.Add(-1)
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-timer.C:
		return nil, busy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash returns the PHC string of a password under a fresh salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails: crypto/rand
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// verify reports whether password has that hash. It works as long for no hash
// at all (phc is ""), and then says no. The caller has a turn.
func verify(password, phc string) (bool, error) {
	p := phcHash{memory: argonMemory, time: argonTime, threads: argonThreads,
		salt: make([]byte, argonSalt), key: make([]byte, argonKey)}
	if phc != "" {
		var err error
		if p, err = parsePHC(phc); err != nil {
			return false, err
		}
	}
	key := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1 && phc != "", nil
}

type phcHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parsePHC reads "$argon2id$v=19$m=19456,t=2,p=1$salt$key".
func parsePHC(s string) (phcHash, error) {
	var p phcHash
	bad := errors.New("stored password hash is not one of argon2id, or asks for too much")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.time, p.threads) { // Sscanf ignores what follows
		return p, bad
	}
	var saltErr, keyErr error
	p.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	p.key, keyErr = base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(p.salt) > maxArgonBytes || len(p.key) < 16 || len(p.key) > maxArgonBytes ||
		p.memory > maxArgonMemory || p.time < 1 || p.time > maxArgonTime || p.threads < 1 || p.threads > maxArgonThreads {
		return p, bad
	}
	return p, nil
}
