package ssh

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-forge/ingot/forge/account"
)

type hostKeyKind struct {
	name     string
	generate func() (crypto.PrivateKey, error)
}

// hostKeyKinds are the host keys of an instance: the one that everybody wants,
// and one for clients that may only use NIST's curves. RSA is left out: making
// one takes seconds, and no client that git still runs with needs it.
var hostKeyKinds = []hostKeyKind{
	{"ed25519", func() (crypto.PrivateKey, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}},
	{"ecdsa", func() (crypto.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
}

// hostKey returns the instance's key of a kind, made on first use.
func hostKey(ctx context.Context, a *account.Service, kind hostKeyKind) (ssh.Signer, error) {
	stored, err := a.Secret(ctx, "ssh-host-key-"+kind.name, func() ([]byte, error) {
		key, err := kind.generate()
		if err != nil {
			return nil, err
		}
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(block), nil
	})
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKey(stored)
}
