package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// proofs remembers for a minute or two which passwords were found to have which
// hashes: one push over HTTP proves the same password three or four times, and
// each time would cost 25 ms of a core.
//
// What it remembers is a fact about two strings, which cannot become wrong: who
// asks has read the account afresh, so a changed password, a suspended user and
// one that is gone count at once, on every node. Kept are sums under a key that
// never leaves the process, nothing of which is of use elsewhere.
type proofs struct {
	key [sha256.Size]byte

	mu     sync.Mutex // guards what follows
	young  map[proof]struct{}
	old    map[proof]struct{} // the young of the time before
	turned time.Time          // when the young last became old
}

type proof [sha256.Size]byte

// Bounds of what is remembered. Twice that many and twice that long, at most:
// there are two generations.
const (
	proofsKept = 4096
	proofsLife = time.Minute
)

func newProofs() *proofs {
	p := &proofs{}
	rand.Read(p.key[:]) // never fails: crypto/rand
	return p
}

func (p *proofs) sum(phc, password string) (sum proof) {
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte(phc))
	mac.Write([]byte{0}) // which no hash has in it
	mac.Write([]byte(password))
	mac.Sum(sum[:0])
	return sum
}

// has reports whether password was found to have that hash a while ago.
func (p *proofs) has(now time.Time, phc, password string) bool {
	sum := p.sum(phc, password)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	_, young := p.young[sum]
	_, old := p.old[sum]
	return young || old
}

// add remembers that password has that hash.
func (p *proofs) add(now time.Time, phc, password string) {
	sum := p.sum(phc, password)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	p.young[sum] = struct{}{}
}

// turn forgets the old when it is time, or when the young are many.
func (p *proofs) turn(now time.Time) {
	since := now.Sub(p.turned)
	switch {
	case since >= 2*proofsLife:
		p.young, p.old = map[proof]struct{}{}, nil
	case since >= proofsLife, len(p.young) >= proofsKept:
		p.young, p.old = map[proof]struct{}{}, p.young
	default:
		return
	}
	p.turned = now
}
