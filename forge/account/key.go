package account

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-forge/ingot/forge"
)

// Bounds of a key. The line is measured before anything parses it: an RSA key
// of 16384 bits takes 2.8 KB.
const (
	MaxKeyLine = 8 << 10
	minRSABits = 2048
	maxRSABits = 16384
)

// Key says whose an SSH key is. The client must sign with that very key before
// the caller believes the actor; then it calls KeyUsed. A key that is not known,
// or of a suspended user, is Denied.
func (s *Service) Key(ctx context.Context, key ssh.PublicKey, from netip.Addr) (*forge.Actor, error) {
	k, user, err := s.stores.Keys.FindKey(ctx, ssh.FingerprintSHA256(key))
	if errors.Is(err, forge.ErrNoRow) || err == nil && user.Suspended {
		return nil, badCredentials(from)
	}
	if err != nil {
		return nil, err
	}
	return &forge.Actor{User: user, Credential: forge.Credential{Kind: forge.ByKey, ID: k.ID}, Address: from}, nil
}

// KeyUsed notes that a client has signed with the key, to within UsedEvery.
// Before that anybody can offer the key, which is public. One that is gone
// meanwhile is no error.
func (s *Service) KeyUsed(ctx context.Context, key ssh.PublicKey) error {
	k, _, err := s.stores.Keys.FindKey(ctx, ssh.FingerprintSHA256(key))
	if errors.Is(err, forge.ErrNoRow) {
		return nil
	}
	now := s.now()
	if err != nil || now.Sub(k.Used) < UsedEvery {
		return err
	}
	return s.stores.Keys.TouchKey(ctx, k.ID, now)
}

// AddKey adds an SSH key, a line as in authorized_keys, to a user's. title may
// be "": then it is the line's comment.
func (s *Service) AddKey(ctx context.Context, actor *forge.Actor, login, title, line string) (*Key, error) {
	a, err := s.permit(ctx, actor, forge.WriteKeys, login)
	if err != nil {
		return nil, err
	}
	k, comment, err := parseKey(line)
	if err != nil {
		return nil, err
	}
	if title == "" {
		title = comment
	}
	if err := forge.CheckLine("title", title, MaxTitle); err != nil {
		return nil, err
	}
	have, err := s.stores.Keys.ListKeys(ctx, a.ID, 0, MaxKeys)
	if err != nil {
		return nil, err
	}
	if len(have) >= MaxKeys {
		return nil, forge.Invalidf("", "", "User has %d keys already, the most there can be", MaxKeys)
	}
	k.UserID, k.Title, k.Created = a.ID, title, s.now()
	if k.ID, err = s.stores.Keys.CreateKey(ctx, k); err != nil {
		return nil, err
	}
	return k, nil
}

// parseKey reads one line of authorized_keys without options.
func parseKey(line string) (k *Key, comment string, err error) {
	bad := func(why string) (*Key, string, error) {
		return nil, "", forge.Invalidf("key", forge.CodeInvalid, "key is invalid. %s", why)
	}
	if len(line) > MaxKeyLine {
		return bad("It is too long")
	}
	line = strings.TrimSpace(line)
	if line == "" {
		return nil, "", forge.Invalidf("key", forge.CodeMissingField, "key is missing")
	}
	if strings.ContainsAny(line, "\r\n\x00") {
		return bad("It must be one line")
	}
	kind, rest, _ := strings.Cut(line, " ")
	encoded, comment, _ := strings.Cut(strings.TrimLeft(rest, " \t"), " ")
	switch kind {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
	case "ssh-dss":
		return bad("DSA keys are too weak")
	default:
		return bad("It must begin with ssh-ed25519, ecdsa-sha2-nistp256, -384 or -521, ssh-rsa, or the sk- forms of these")
	}
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return bad("Its second word is not base64")
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil || key.Type() != kind {
		return bad("It is damaged")
	}
	if c, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && (r.N.BitLen() < minRSABits || r.N.BitLen() > maxRSABits) {
			return bad("RSA keys must have 2048 to 16384 bits")
		}
	}
	return &Key{Authorized: kind + " " + base64.StdEncoding.EncodeToString(key.Marshal()),
		Fingerprint: ssh.FingerprintSHA256(key)}, strings.TrimSpace(comment), nil
}

// ListKeys returns up to limit of a user's keys with ids greater than after,
// ascending. Whoever may not forge.ReadKeys gets them without titles and dates,
// as GitHub shows them to everybody.
func (s *Service) ListKeys(ctx context.Context, actor *forge.Actor,
	login string, after int64, limit int) ([]*Key, error) {
	a, err := s.find(ctx, actor, login)
	if err != nil {
		return nil, err
	}
	keys, err := s.stores.Keys.ListKeys(ctx, a.ID, after, page(limit))
	if err != nil {
		return nil, err
	}
	if forge.PermitUser(actor, forge.ReadKeys, a.ID, false, s.clock()) != nil {
		for i, k := range keys {
			keys[i] = &Key{ID: k.ID, UserID: k.UserID, Authorized: k.Authorized, Fingerprint: k.Fingerprint}
		}
	}
	return keys, nil
}

// DeleteKey removes a user's key: the next connection with it is refused, on
// every node.
func (s *Service) DeleteKey(ctx context.Context, actor *forge.Actor, login string, id int64) error {
	a, err := s.permit(ctx, actor, forge.DeleteKeys, login)
	if err != nil {
		return err
	}
	err = s.stores.Keys.DeleteKey(ctx, a.ID, id)
	if errors.Is(err, forge.ErrNoRow) {
		return forge.NotFoundf(actor, "Key not found")
	}
	return err
}
