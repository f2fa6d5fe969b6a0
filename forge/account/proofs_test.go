package account

import (
	"strconv"
	"testing"
	"time"
)

func TestProofsAreBounded(t *testing.T) {
	p := newProofs()
	now := time.Now()
	for i := range 3 * proofsKept {
		p.add(now, "hash", strconv.Itoa(i))
		if kept := len(p.young) + len(p.old); kept > 2*proofsKept {
			t.Fatalf("%d proofs kept", kept)
		}
	}
	if last := strconv.Itoa(3*proofsKept - 1); !p.has(now, "hash", last) {
		t.Error("the last one is forgotten")
	}
	if p.has(now, "hash", "0") {
		t.Error("the first one is remembered")
	}
}

// TestProofsKeepApart: where the hash ends and the password begins counts.
func TestProofsKeepApart(t *testing.T) {
	p, now := newProofs(), time.Now()
	p.add(now, "ha", "shpass")
	for _, c := range [][2]string{{"hash", "pass"}, {"ha\x00sh", "pass"}, {"", "ha\x00shpass"}, {"ha", "pass"}, {"ha", "shpas"}} {
		if p.has(now, c[0], c[1]) {
			t.Errorf("%q has hash %q", c[1], c[0])
		}
	}
	if !p.has(now, "ha", "shpass") {
		t.Error("what was added is not there")
	}
	if newProofs().sum("ha", "shpass") == p.sum("ha", "shpass") {
		t.Error("two processes make the same sums")
	}
}
