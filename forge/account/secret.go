package account

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

// A token is its prefix, secretDigits random digits of base 62 (178 bits), and
// checkDigits digits of the CRC-32 of those: as GitHub's are, so that scanners
// for leaked secrets can tell one from chance without asking.
const (
	tokenPrefix   = "ingot_"
	sessionPrefix = "ingots_"
	secretDigits  = 30
	checkDigits   = 6
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newSecret returns a fresh secret.
func newSecret(prefix string) string {
	digits := make([]byte, 0, secretDigits)
	for buf := make([]byte, 64); len(digits) < secretDigits; {
		rand.Read(buf) // never fails: crypto/rand
		for _, b := range buf {
			// 248 is the greatest multiple of 62 in a byte: above it some digits would be likelier.
			if b < 248 && len(digits) < secretDigits {
				digits = append(digits, base62[b%62])
			}
		}
	}
	return prefix + string(digits) + checksum(string(digits))
}

func checksum(digits string) string {
	sum := crc32.ChecksumIEEE([]byte(digits))
	var check [checkDigits]byte
	for i := len(check) - 1; i >= 0; i-- {
		check[i] = base62[sum%62]
		sum /= 62
	}
	return string(check[:])
}

// wellFormed reports whether s may be a secret with that prefix; what is not
// needs no look at the store.
func wellFormed(prefix, s string) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	return ok && len(digits) == secretDigits+checkDigits && checksum(digits[:secretDigits]) == digits[secretDigits:]
}

// looksLikeToken reports whether s is meant as a token: no password starts so.
func looksLikeToken(s string) bool { return strings.HasPrefix(s, tokenPrefix) }

func hashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// hint is what a user may see of a token to tell it from others.
func hint(secret string) string { return secret[len(secret)-4:] }
