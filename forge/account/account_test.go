package account_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/account/accounttest"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("198.51.100.7")
)

const password = "correct horse"

type world struct {
	*account.Service
	memory *accounttest.Memory
	user   *forge.User
	actor  *forge.Actor // the user, signed in by password
}

// open returns a service with one user, alice, under the real clock or that of
// a synctest bubble.
func open(t *testing.T) *world {
	t.Helper()
	m := new(accounttest.Memory)
	w := &world{Service: account.New(m.Stores(), account.Config{Hashes: 2}), memory: m}
	w.user = w.create(t, "alice", password)
	w.actor = &forge.Actor{User: w.user, Credential: forge.Credential{Kind: forge.ByPassword}}
	return w
}

func (w *world) create(t *testing.T, login, password string) *forge.User {
	t.Helper()
	u, err := w.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: login, Password: password, Email: login + "@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantKind(t *testing.T, what string, err error, want forge.Kind) {
	t.Helper()
	if got := forge.KindOf(err); got != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func TestSignIn(t *testing.T) {
	w := open(t)
	for _, login := range []string{"alice", "ALICE"} {
		a, err := w.SignIn(t.Context(), login, password, here)
		if err != nil {
			t.Fatal(err)
		}
		if a.User.ID != w.user.ID || a.Credential.Kind != forge.ByPassword || a.Address != here {
			t.Errorf("actor %+v", a)
		}
	}
	w.create(t, "nopassword", "")
	w.create(t, "gone", password)
	yes := true
	if _, err := w.EditUser(t.Context(), forge.Machine(), "gone", account.UserEdit{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	var said string
	for _, c := range [][2]string{{"alice", "wrong"}, {"alice", ""}, {"nobody", password}, {"nopassword", ""}, {"nopassword", "x"}, {"gone", password},
		{"", ""}, {"alice", strings.Repeat("x", account.MaxPassword+1)}, {"al%", password}} {
		_, err := w.SignIn(t.Context(), c[0], c[1], here)
		wantKind(t, c[0], err, forge.Denied)
		if said == "" {
			said = err.Error()
		}
		if err.Error() != said {
			t.Errorf("%q answers %q, others %q", c[0], err, said)
		}
		if e := (*forge.Error)(nil); !errors.As(err, &e) || !e.Anonymous {
			t.Errorf("%q: a failed proof must ask to sign in: %+v", c[0], err)
		}
	}
}

// TestSignInWorksAsLong: a user who does not exist costs the same as one who
// does. Times vary, so only a lack of the hash would show: that is 25 ms to nothing.
func TestSignInWorksAsLong(t *testing.T) {
	w := open(t)
	w.create(t, "nopassword", "")
	shortest := func(login string) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			_, err := w.SignIn(t.Context(), login, "wrong", there)
			wantKind(t, login, err, forge.Denied)
			best = min(best, time.Since(start))
		}
		return best
	}
	real := shortest("alice")
	for _, login := range []string{"nobody", "nopassword"} {
		if took := shortest(login); took < real/4 {
			t.Errorf("sign-in as %s takes %v, as alice %v", login, took, real)
		}
	}
}

// TestSignInAgain: git proves a password several times for one push, and only
// the first time costs a hash; but what changes in between counts at once.
func TestSignInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		ctx := t.Context()
		signIn := func(what, password string, want forge.Kind) {
			t.Helper()
			_, err := w.SignIn(ctx, "alice", password, here)
			wantKind(t, what, err, want)
		}
		hashed := func() bool {
			t.Helper()
			begun := make(chan struct{})
			w.HoldHashes(func() { // nobody gets a turn meanwhile
				go func() {
					defer close(begun)
					signIn("again", password, 0)
				}()
				synctest.Wait()
			})
			select {
			case <-begun:
				return false
			default:
				<-begun
				return true
			}
		}
		signIn("first", password, 0)
		if hashed() {
			t.Error("the second proof hashed again")
		}
		signIn("wrong", "wrong", forge.Denied)
		time.Sleep(50 * time.Second)
		if hashed() {
			t.Error("a proof within the minute hashed again")
		}
		time.Sleep(2 * time.Minute)
		if !hashed() {
			t.Error("a proof after three minutes did not hash")
		}
		if err := w.SetPassword(ctx, w.actor, "alice", "another one"); err != nil {
			t.Fatal(err)
		}
		signIn("the old password", password, forge.Denied)
		signIn("the new password", "another one", 0)
		yes := true
		if _, err := w.EditUser(ctx, forge.Machine(), "alice", account.UserEdit{Suspended: &yes}); err != nil {
			t.Fatal(err)
		}
		signIn("suspended", "another one", forge.Denied)
	})
}

func TestPasswordRules(t *testing.T) {
	w := open(t)
	wantKind(t, "short", w.SetPassword(t.Context(), w.actor, "alice", "1234567"), forge.Invalid)
	wantKind(t, "long", w.SetPassword(t.Context(), w.actor, "alice", strings.Repeat("x", 1025)), forge.Invalid)
	if err := w.SetPassword(t.Context(), forge.Machine(), "alice", "1234"); err != nil {
		t.Errorf("short, by the machine: %v", err)
	}
	wantKind(t, "another's", w.SetPassword(t.Context(), w.actor, "alice2", "12345678"), forge.NotFound)
	w.create(t, "bob", password)
	wantKind(t, "another's", w.SetPassword(t.Context(), w.actor, "bob", "12345678"), forge.Denied)
	stored, err := w.memory.FindUser(t.Context(), "bob")
	if err != nil || !strings.HasPrefix(stored.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored hash %q, %v", stored.PasswordHash, err)
	}
}

// TestStoredHash: a row of the store cannot take the node down, and damage is
// an error of ours, not a wrong password.
func TestStoredHash(t *testing.T) {
	w := open(t)
	good, err := w.memory.FindUser(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	seen := good.Updated
	for _, hash := range []string{"x", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=19456,t=2,p=0$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1,x=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$",
		"$argon2id$v=19$m=19456,t=2,p=1$!$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 1000)} {
		a := *good
		a.PasswordHash, a.Updated = hash, seen.Add(time.Microsecond)
		if err := w.memory.UpdateUser(t.Context(), &a, seen); err != nil {
			t.Fatal(err)
		}
		seen = a.Updated
		if _, err := w.SignIn(t.Context(), "alice", password, here); err == nil || forge.KindOf(err) != 0 {
			t.Errorf("stored hash %.60q: %v, want an error of no kind", hash, err)
		}
	}
}

func TestUsers(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	for _, n := range []account.NewUser{{Login: "api"}, {Login: ".."}, {Login: "bob", Email: "x"}, {Login: "bob", Name: "a\nb"}} {
		_, err := w.CreateUser(ctx, forge.Machine(), n)
		wantKind(t, "CreateUser "+n.Login, err, forge.Invalid)
	}
	_, err := w.CreateUser(ctx, forge.Machine(), account.NewUser{Login: "-x", Email: "x"})
	if e := (*forge.Error)(nil); !errors.As(err, &e) || len(e.Fields) != 2 {
		t.Errorf("two wrong fields: %+v, want both named", err)
	}
	_, err = w.CreateUser(ctx, w.actor, account.NewUser{Login: "bob"})
	wantKind(t, "CreateUser by anybody", err, forge.Denied)
	_, err = w.CreateUser(ctx, forge.Machine(), account.NewUser{Login: "ALICE"})
	wantKind(t, "login taken", err, forge.Conflict)

	bob := w.create(t, "bob", "")
	for _, c := range []struct {
		actor *forge.Actor
		email string
	}{{forge.Anonymous(here), ""}, {w.actor, ""}, {forge.Machine(), "bob@example.org"},
		{&forge.Actor{User: bob, Credential: forge.Credential{Kind: forge.BySession}}, "bob@example.org"},
		{&forge.Actor{User: bob, Credential: forge.Credential{Kind: forge.ByToken, Scopes: forge.Scopes{forge.ScopeRepo}}}, ""},
		{&forge.Actor{User: bob, Credential: forge.Credential{Kind: forge.ByToken, Scopes: forge.Scopes{forge.ScopeReadUser}}}, "bob@example.org"}} {
		u, err := w.FindUser(ctx, c.actor, "BOB")
		if err != nil || u.Email != c.email {
			t.Errorf("bob for %s %s: %+v, %v; want e-mail %q", c.actor.Login(), c.actor.Credential, u, err, c.email)
		}
		if list, err := w.ListUsers(ctx, c.actor, w.user.ID, 10); err != nil || len(list) != 1 || list[0].Email != c.email {
			t.Errorf("list for %s %s: %+v, %v", c.actor.Login(), c.actor.Credential, list, err)
		}
	}
	name, yes := "Bob B.", true
	_, err = w.EditUser(ctx, w.actor, "bob", account.UserEdit{Name: &name})
	wantKind(t, "EditUser of another", err, forge.Denied)
	self := &forge.Actor{User: bob, Credential: forge.Credential{Kind: forge.ByPassword}}
	_, err = w.EditUser(ctx, self, "bob", account.UserEdit{Admin: &yes})
	wantKind(t, "making oneself administrator", err, forge.Denied)
	if u, err := w.EditUser(ctx, self, "bob", account.UserEdit{Name: &name}); err != nil || u.Name != name || u.Email != "bob@example.org" || u.Admin {
		t.Errorf("EditUser: %+v, %v", u, err)
	}
	_, err = w.FindUser(ctx, forge.Machine(), "../etc")
	wantKind(t, "no login", err, forge.NotFound)
	_, err = w.UserByID(ctx, forge.Machine(), 99)
	wantKind(t, "no id", err, forge.NotFound)
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		ctx := t.Context()
		secret, tok, err := w.CreateToken(ctx, w.actor, "alice", account.NewToken{Name: "CI", Scopes: forge.Scopes{"repo"}, Only: 5, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, "ingot_") || len(secret) != len("ingot_")+36 || !strings.HasSuffix(secret, tok.Hint) {
			t.Errorf("token %q, hint %q", secret, tok.Hint)
		}
		a, err := w.Token(ctx, secret, here)
		if err != nil {
			t.Fatal(err)
		}
		if c := a.Credential; a.User.ID != w.user.ID || c.Kind != forge.ByToken || c.ID != tok.ID || c.Only != 5 || c.Scopes.String() != "repo" || !c.Expires.Equal(tok.Expires) {
			t.Errorf("actor %+v", a)
		}
		for _, words := range [][2]string{{"alice", secret}, {"x-access-token", secret}, {secret, ""}, {secret, "x-oauth-basic"}, {"", secret}} {
			if a, err := w.Basic(ctx, words[0], words[1], here); err != nil || a.Credential.Kind != forge.ByToken || a.Credential.Only != 5 {
				t.Errorf("Basic(%q, …): %+v, %v; want the token, as limited as by any other way", words[0], a, err)
			}
		}
		if a, err := w.Basic(ctx, "alice", password, here); err != nil || a.Credential.Kind != forge.ByPassword {
			t.Errorf("Basic with a password: %+v, %v", a, err)
		}
		// No token makes tokens, whatever its scopes: they would widen.
		_, _, err = w.CreateToken(ctx, a, "alice", account.NewToken{})
		wantKind(t, "token by token", err, forge.Denied)
		_, err = w.ListTokens(ctx, a, "alice", false, 0, 10)
		wantKind(t, "list by token", err, forge.Denied)
		wantKind(t, "password by token", w.SetPassword(ctx, a, "alice", "87654321"), forge.Denied)

		// The stores never see the secret.
		list, err := w.ListTokens(ctx, w.actor, "alice", false, 0, 10)
		if err != nil || len(list) != 1 || !list[0].Used.Equal(time.Now()) {
			t.Errorf("ListTokens: %+v, %v; want one, used now", list, err)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		if _, err := w.Token(ctx, secret, here); err != nil {
			t.Errorf("just before its expiry: %v", err)
		}
		time.Sleep(time.Nanosecond)
		_, err = w.Token(ctx, secret, here)
		wantKind(t, "expired", err, forge.Denied)
		_, _, err = w.CreateToken(ctx, w.actor, "alice", account.NewToken{Expires: time.Now()})
		wantKind(t, "expiry in the past", err, forge.Invalid)

		secret, tok, err = w.CreateToken(ctx, w.actor, "alice", account.NewToken{})
		if err != nil {
			t.Fatal(err)
		}
		w.create(t, "bob", "")
		wantKind(t, "deleting under another's name", w.DeleteToken(ctx, forge.Machine(), "bob", tok.ID), forge.NotFound)
		if err := w.DeleteToken(ctx, w.actor, "alice", tok.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.Token(ctx, secret, here)
		wantKind(t, "revoked", err, forge.Denied)
		wantKind(t, "revoking again", w.DeleteToken(ctx, w.actor, "alice", tok.ID), forge.NotFound)
		wantKind(t, "revoking none", w.DeleteToken(ctx, w.actor, "alice", 0), forge.NotFound)
	})
}

func TestHostileTokens(t *testing.T) {
	w := open(t)
	secret, _, err := w.CreateToken(t.Context(), w.actor, "alice", account.NewToken{})
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(secret)
	flipped[10] ^= 1
	for _, s := range []string{"", "ingot_", secret[:len(secret)-1], secret + "0", string(flipped), strings.ToUpper(secret), "ingots_" + secret[6:],
		" " + secret, secret + "\n", strings.Repeat("x", 1<<20), "ingot_" + strings.Repeat("\x00", 36)} {
		_, err := w.Token(t.Context(), s, there)
		wantKind(t, "hostile token", err, forge.Denied)
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		ctx := t.Context()
		signedIn, err := w.SignIn(ctx, "alice", password, here)
		if err != nil {
			t.Fatal(err)
		}
		secret, _, err := w.StartSession(ctx, signedIn, "Mozilla\x1b[2J")
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := w.StartSession(ctx, signedIn, "")
		if err != nil || second == secret {
			t.Fatalf("second session: the same secret, or %v", err)
		}
		a, err := w.Session(ctx, secret, here)
		if err != nil || a.Credential.Kind != forge.BySession {
			t.Fatalf("Session: %+v, %v", a, err)
		}
		// A session is no token, a token no session, and neither starts sessions.
		_, err = w.Token(ctx, secret, here)
		wantKind(t, "session as token", err, forge.Denied)
		_, err = w.Token(ctx, "ingot_"+strings.TrimPrefix(secret, "ingots_"), here)
		wantKind(t, "session as token, prefix changed", err, forge.Denied)
		token, _, err := w.CreateToken(ctx, a, "alice", account.NewToken{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Session(ctx, token, here)
		wantKind(t, "token as session", err, forge.Denied)
		_, err = w.Session(ctx, "ingots_"+strings.TrimPrefix(token, "ingot_"), here)
		wantKind(t, "token as session, prefix changed", err, forge.Denied)
		_, _, err = w.StartSession(ctx, a, "")
		wantKind(t, "session by session", err, forge.Denied)

		list, err := w.ListTokens(ctx, a, "alice", true, 0, 10)
		if err != nil || len(list) != 2 || list[0].Name != "Mozilla?[2J" {
			t.Errorf("sessions: %+v, %v", list, err)
		}
		if err := w.EndSession(ctx, a); err != nil {
			t.Fatal(err)
		}
		_, err = w.Session(ctx, secret, here)
		wantKind(t, "ended", err, forge.Denied)
		if _, err := w.Session(ctx, second, here); err != nil {
			t.Errorf("the other session: %v", err)
		}
		if err := w.SetPassword(ctx, w.actor, "alice", "new password"); err != nil {
			t.Fatal(err)
		}
		_, err = w.Session(ctx, second, here)
		wantKind(t, "after a new password", err, forge.Denied)
		if _, err := w.Token(ctx, token, here); err != nil {
			t.Errorf("tokens outlive a password: %v", err)
		}

		last, _, err := w.StartSession(ctx, signedIn, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(account.SessionLife)
		_, err = w.Session(ctx, last, here)
		wantKind(t, "after its life", err, forge.Denied)
	})
}

// TestSuspended: every kind of proof stops at once.
func TestSuspended(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	token, _, err := w.CreateToken(ctx, w.actor, "alice", account.NewToken{})
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := w.StartSession(ctx, w.actor, "")
	if err != nil {
		t.Fatal(err)
	}
	public := newKey(t)
	if _, err := w.AddKey(ctx, w.actor, "alice", "", string(ssh.MarshalAuthorizedKey(public))); err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := w.EditUser(ctx, forge.Machine(), "alice", account.UserEdit{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	_, err = w.SignIn(ctx, "alice", password, here)
	wantKind(t, "password", err, forge.Denied)
	_, err = w.Token(ctx, token, here)
	wantKind(t, "token", err, forge.Denied)
	_, err = w.Session(ctx, session, here)
	wantKind(t, "session", err, forge.Denied)
	_, err = w.Key(ctx, public, here)
	wantKind(t, "key", err, forge.Denied)
}

func newKey(t *testing.T) ssh.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeys(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	w.create(t, "bob", "")
	public := newKey(t)
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	k, err := w.AddKey(ctx, w.actor, "alice", "", "  "+line+" alice at home \n")
	if err != nil {
		t.Fatal(err)
	}
	if k.Title != "alice at home" || k.Authorized != line || k.Fingerprint != ssh.FingerprintSHA256(public) {
		t.Errorf("key %+v", k)
	}
	_, err = w.AddKey(ctx, forge.Machine(), "bob", "mine", line)
	wantKind(t, "a key in use", err, forge.Conflict)
	_, err = w.AddKey(ctx, w.actor, "bob", "mine", line)
	wantKind(t, "to another's account", err, forge.Denied)

	a, err := w.Key(ctx, public, here)
	if err != nil || a.User.ID != w.user.ID || a.Credential.Kind != forge.ByKey || a.Credential.ID != k.ID {
		t.Fatalf("Key: %+v, %v", a, err)
	}
	if keys, err := w.ListKeys(ctx, w.actor, "alice", 0, 10); err != nil || !keys[0].Used.IsZero() {
		t.Errorf("offering a key, which is public, must not count as use: %+v, %v", keys, err)
	}
	if err := w.KeyUsed(ctx, public); err != nil {
		t.Fatal(err)
	}
	if err := w.KeyUsed(ctx, newKey(t)); err != nil {
		t.Errorf("a key that is gone meanwhile: %v", err)
	}
	if keys, err := w.ListKeys(ctx, w.actor, "alice", 0, 10); err != nil || len(keys) != 1 || keys[0].Used.IsZero() || keys[0].Title != k.Title {
		t.Errorf("own keys: %+v, %v", keys, err)
	}
	if keys, err := w.ListKeys(ctx, forge.Anonymous(here), "alice", 0, 10); err != nil || len(keys) != 1 || keys[0].Title != "" || !keys[0].Used.IsZero() ||
		!keys[0].Created.IsZero() || keys[0].Authorized != line {
		t.Errorf("keys for anybody: %+v, %v", keys, err)
	}
	_, err = w.Key(ctx, newKey(t), here)
	wantKind(t, "unknown key", err, forge.Denied)
	wantKind(t, "deleting another's", w.DeleteKey(ctx, forge.Machine(), "bob", k.ID), forge.NotFound)
	if err := w.DeleteKey(ctx, w.actor, "alice", k.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Key(ctx, public, here)
	wantKind(t, "deleted key", err, forge.Denied)
}

// TestKeyUsedSeldom: connections are many, and each note of one is a write.
func TestKeyUsedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		public := newKey(t)
		if _, err := w.AddKey(t.Context(), w.actor, "alice", "", string(ssh.MarshalAuthorizedKey(public))); err != nil {
			t.Fatal(err)
		}
		var noted []time.Time
		for range 4 {
			if err := w.KeyUsed(t.Context(), public); err != nil {
				t.Fatal(err)
			}
			keys, err := w.ListKeys(t.Context(), w.actor, "alice", 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			noted = append(noted, keys[0].Used)
			time.Sleep(account.UsedEvery / 2)
		}
		if noted[0].IsZero() || noted[1] != noted[0] || noted[2].Sub(noted[0]) != account.UsedEvery || noted[3] != noted[2] {
			t.Errorf("noted %v", noted)
		}
	})
}

// encode makes an authorized_keys line out of an algorithm and what follows it.
func encode(algorithm string, rest ...[]byte) string {
	blob := binary.BigEndian.AppendUint32(nil, uint32(len(algorithm)))
	blob = append(blob, algorithm...)
	for _, part := range rest {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(part)))
		blob = append(blob, part...)
	}
	return algorithm + " " + base64.StdEncoding.EncodeToString(blob)
}

// rsaLine makes the line of an RSA key of so many bits, whose modulus is a product of nothing.
func rsaLine(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.SetBit(n, 0, 1)
	return encode("ssh-rsa", []byte{1, 0, 1}, append([]byte{0}, n.Bytes()...))
}

func TestKeyKinds(t *testing.T) {
	w := open(t)
	add := func(line string) error {
		start := time.Now()
		_, err := w.AddKey(t.Context(), w.actor, "alice", "t", line)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.40q takes %v", line, took)
		}
		return err
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]any{"rsa 2048": &private.PublicKey}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		good[name] = &key.PublicKey
	}
	for name, key := range good {
		public, err := ssh.NewPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := add(string(ssh.MarshalAuthorizedKey(public))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ed := make([]byte, 32)
	rand.Read(ed)
	point, err := good["p256"].(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{rsaLine(4096), rsaLine(16384),
		encode("sk-ssh-ed25519@openssh.com", ed, []byte("ssh:")), encode("sk-ecdsa-sha2-nistp256@openssh.com", []byte("nistp256"), point, []byte("ssh:"))} {
		if err := add(line); err != nil {
			t.Errorf("%.60q: %v", line, err)
		}
	}

	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newKey(t))))
	huge := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 11}, 0)
	copy(huge[4:], "ssh-ed25519")
	for _, bad := range []string{"", " ", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 !!!!", "ssh-rsa " + strings.Fields(line)[1],
		rsaLine(1024), rsaLine(2047), rsaLine(16385), rsaLine(60000),
		"ssh-dss AAAAB3NzaC1kc3MAAAA=", "ssh-ed25519-cert-v01@openssh.com AAAA", "ecdsa-sha2-nistp224 AAAA", "ssh-foo AAAA",
		`command="id" ` + line, "no-pty " + line, line + "\n" + line, line + "\x00", "ssh-ed25519 " + strings.Repeat("A", 10<<20),
		"ssh-ed25519 " + base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x0bssh-ed25519\xff\xff\xff\xff")),
		"ssh-ed25519 " + base64.StdEncoding.EncodeToString([]byte("\x80\x00\x00\x00ssh-ed25519")),
		encode("ssh-ed25519", ed[:31]), encode("ssh-ed25519", ed, []byte("more")), encode("ssh-rsa", []byte{1, 0, 1}, []byte{0x80, 0, 0, 1}),
		encode("ecdsa-sha2-nistp256", []byte("nistp256"), make([]byte, 65)), "-----BEGIN OPENSSH PRIVATE KEY-----"} {
		wantKind(t, "hostile key "+bad[:min(len(bad), 60)], add(bad), forge.Invalid)
	}
}

func FuzzAddKey(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ/0bCJ8JMJB8sGvLYQ1rR5cEXs2n3V5fBqk9cZk3JzC x")
	f.Add(rsaLine(2048))
	f.Fuzz(func(t *testing.T, line string) {
		m := new(accounttest.Memory)
		s := account.New(m.Stores(), account.Config{})
		if _, err := s.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: "a"}); err != nil {
			t.Fatal(err)
		}
		k, err := s.AddKey(t.Context(), forge.Machine(), "a", "t", line)
		if err != nil {
			if forge.KindOf(err) != forge.Invalid {
				t.Fatalf("%q: %v", line, err)
			}
			return
		}
		parsed, _, _, _, err := ssh.ParseAuthorizedKey([]byte(k.Authorized))
		if err != nil || ssh.FingerprintSHA256(parsed) != k.Fingerprint {
			t.Fatalf("%q stored as %+v: %v", line, k, err)
		}
	})
}

func TestSecret(t *testing.T) {
	w := open(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			_, err := w.Secret(t.Context(), "seed", func() ([]byte, error) { return []byte{byte(i)}, nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
