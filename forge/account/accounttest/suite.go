package accounttest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

// at is the time rows are made at: to the microsecond, which every store keeps.
var at = time.Date(2026, 11, 22, 10, 20, 30, 123456000, time.UTC)

// Run checks that the stores which open makes, empty each time, keep the
// contracts of package account.
func Run(t *testing.T, open func(t *testing.T) account.Stores) {
	t.Run("Users", func(t *testing.T) { testUsers(t, open(t)) })
	t.Run("UpdateUser", func(t *testing.T) { testUpdateUser(t, open(t)) })
	t.Run("ListUsers", func(t *testing.T) { testListUsers(t, open(t)) })
	t.Run("UserRace", func(t *testing.T) { testUserRace(t, open(t)) })
	t.Run("Tokens", func(t *testing.T) { testTokens(t, open(t)) })
	t.Run("DeleteTokens", func(t *testing.T) { testDeleteTokens(t, open(t)) })
	t.Run("Keys", func(t *testing.T) { testKeys(t, open(t)) })
	t.Run("Secrets", func(t *testing.T) { testSecrets(t, open(t)) })
}

// addUser makes a user with nothing but a login.
func addUser(t *testing.T, s account.Stores, login string) forge.UserID {
	t.Helper()
	a, err := s.Users.CreateUser(t.Context(), &account.Account{User: forge.User{Login: login, Created: at, Updated: at}})
	if err != nil {
		t.Fatalf("CreateUser(%q): %v", login, err)
	}
	return a.ID
}

// wantKind checks an error's kind, and the field it is about.
func wantKind(t *testing.T, what string, err error, kind forge.Kind, field string) {
	t.Helper()
	var e *forge.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%s: %v, want an error of kind %s", what, err, kind)
		return
	}
	if field != "" && (len(e.Fields) != 1 || e.Fields[0].Field != field) {
		t.Errorf("%s: fields %+v, want %q", what, e.Fields, field)
	}
}

func wantNoRow(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, forge.ErrNoRow) {
		t.Errorf("%s: %v, want ErrNoRow", what, err)
	}
}

func testUsers(t *testing.T, s account.Stores) {
	ctx := t.Context()
	in := account.Account{PasswordHash: "$argon2id$x", User: forge.User{Login: "Alice", Name: "Älice \"A\" <b>", Email: "Alice@example.org",
		Admin: true, Suspended: true, Created: at, Updated: at.Add(time.Second)}}
	made, err := s.Users.CreateUser(ctx, &in)
	if err != nil {
		t.Fatal(err)
	}
	if made.ID <= 0 || in.ID != 0 {
		t.Fatalf("id %d, argument's %d; want a positive one, and the argument untouched", made.ID, in.ID)
	}
	in.ID = made.ID
	for _, login := range []string{"Alice", "alice", "ALICE"} {
		got, err := s.Users.FindUser(ctx, login)
		if err != nil {
			t.Fatalf("FindUser(%q): %v", login, err)
		}
		sameAccount(t, got, &in)
	}
	got, err := s.Users.UserByID(ctx, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	sameAccount(t, got, &in)

	_, err = s.Users.FindUser(ctx, "alice2")
	wantNoRow(t, "FindUser of nobody", err)
	_, err = s.Users.FindUser(ctx, "al_ce")
	wantNoRow(t, "FindUser with a wildcard of SQL", err)
	_, err = s.Users.UserByID(ctx, made.ID+1000)
	wantNoRow(t, "UserByID of nobody", err)

	_, err = s.Users.CreateUser(ctx, &account.Account{User: forge.User{Login: "aLICE", Created: at, Updated: at}})
	wantKind(t, "login taken", err, forge.Conflict, "login")
	_, err = s.Users.CreateUser(ctx, &account.Account{User: forge.User{Login: "bob", Email: "alice@EXAMPLE.org", Created: at, Updated: at}})
	wantKind(t, "e-mail taken", err, forge.Conflict, "email")
	// No e-mail is nobody's e-mail.
	addUser(t, s, "carol")
	addUser(t, s, "dave")
}

func sameAccount(t *testing.T, got, want *account.Account) {
	t.Helper()
	g, w := *got, *want
	if !g.Created.Equal(w.Created) || !g.Updated.Equal(w.Updated) {
		t.Errorf("times %v, %v; want %v, %v", g.Created, g.Updated, w.Created, w.Updated)
	}
	g.Created, g.Updated, w.Created, w.Updated = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if g != w {
		t.Errorf("account\n %+v, want\n %+v", g, w)
	}
}

func testUpdateUser(t *testing.T, s account.Stores) {
	ctx := t.Context()
	id := addUser(t, s, "alice")
	_, err := s.Users.CreateUser(ctx, &account.Account{User: forge.User{Login: "bob", Email: "bob@example.org", Created: at, Updated: at}})
	if err != nil {
		t.Fatal(err)
	}
	next := account.Account{PasswordHash: "$argon2id$y", User: forge.User{ID: id, Login: "mallory", Name: "A", Email: "a@example.org",
		Admin: true, Suspended: true, Created: at.Add(time.Hour), Updated: at.Add(time.Minute)}}
	if err := s.Users.UpdateUser(ctx, &next, at); err != nil {
		t.Fatal(err)
	}
	next.Login, next.Created = "alice", at // which never change
	got, err := s.Users.FindUser(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	sameAccount(t, got, &next)

	stale := next
	stale.Name, stale.Updated = "stale", at.Add(2*time.Minute)
	wantKind(t, "update of what has changed meanwhile", s.Users.UpdateUser(ctx, &stale, at), forge.Conflict, "")
	stale.Email = "BOB@example.org"
	wantKind(t, "update to another's e-mail", s.Users.UpdateUser(ctx, &stale, next.Updated), forge.Conflict, "email")
	if got, _ = s.Users.UserByID(ctx, id); got == nil || got.Name != "A" {
		t.Errorf("after refused updates: %+v", got)
	}
	stale.ID = id + 1000
	stale.Email = ""
	wantNoRow(t, "update of nobody", s.Users.UpdateUser(ctx, &stale, at))
}

func testListUsers(t *testing.T, s account.Stores) {
	var want []forge.UserID
	for i := range 5 {
		want = append(want, addUser(t, s, fmt.Sprintf("user%d", i)))
	}
	var got []forge.UserID
	for after := forge.UserID(0); ; {
		list, err := s.Users.ListUsers(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 2 {
			t.Fatalf("%d users on a page of 2", len(list))
		}
		if len(list) == 0 {
			break
		}
		for _, u := range list {
			got = append(got, u.ID)
			after = u.ID
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

// testUserRace has several make the same login at once: one succeeds.
func testUserRace(t *testing.T, s account.Stores) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			login := []string{"alice", "Alice"}[i%2]
			_, errs[i] = s.Users.CreateUser(t.Context(), &account.Account{User: forge.User{Login: login, Created: at, Updated: at}})
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		wantKind(t, "lost race", err, forge.Conflict, "login")
	}
	if made != 1 {
		t.Errorf("%d of %d racing creations succeeded, want 1", made, len(errs))
	}
}

func testTokens(t *testing.T, s account.Stores) {
	ctx := t.Context()
	alice, bob := addUser(t, s, "alice"), addUser(t, s, "bob")
	in := account.Token{UserID: alice, Name: "CI <x>", Scopes: forge.Scopes{"delete_repo", "repo"}, Only: 42, Hint: "wxyz",
		Created: at, Expires: at.Add(time.Hour)}
	hash := account.Hash{1, 2, 3}
	id, err := s.Tokens.CreateToken(ctx, &in, hash)
	if err != nil {
		t.Fatal(err)
	}
	in.ID = id
	got, user, err := s.Tokens.FindToken(ctx, hash)
	if err != nil {
		t.Fatal(err)
	}
	sameToken(t, got, &in)
	if user.ID != alice || user.Login != "alice" {
		t.Errorf("token of %+v, want alice", user)
	}
	_, _, err = s.Tokens.FindToken(ctx, account.Hash{1, 2, 4})
	wantNoRow(t, "FindToken of none", err)
	_, err = s.Tokens.CreateToken(ctx, &account.Token{UserID: bob, Created: at}, hash)
	wantKind(t, "hash in use", err, forge.Conflict, "")
	_, err = s.Tokens.CreateToken(ctx, &account.Token{UserID: bob + 1000, Created: at}, account.Hash{5})
	wantNoRow(t, "token of nobody", err)

	// No scopes, no expiry, no limit: these come back as they went in.
	bare := account.Token{UserID: alice, Session: true, Created: at}
	if bare.ID, err = s.Tokens.CreateToken(ctx, &bare, account.Hash{6}); err != nil {
		t.Fatal(err)
	}
	if got, _, err = s.Tokens.FindToken(ctx, account.Hash{6}); err != nil {
		t.Fatal(err)
	}
	sameToken(t, got, &bare)

	if err := s.Tokens.TouchToken(ctx, id, at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := s.Tokens.TouchToken(ctx, id+1000, at); err != nil {
		t.Errorf("TouchToken of none: %v", err)
	}
	in.Used = at.Add(time.Minute)
	list, err := s.Tokens.ListTokens(ctx, alice, false, 0, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("ListTokens: %d, %v; want the one token", len(list), err)
	}
	sameToken(t, list[0], &in)
	if list, err = s.Tokens.ListTokens(ctx, alice, true, 0, 10); err != nil || len(list) != 1 || list[0].ID != bare.ID {
		t.Errorf("sessions: %v, %v; want the one session", list, err)
	}
	if list, err = s.Tokens.ListTokens(ctx, alice, false, id, 10); err != nil || len(list) != 0 {
		t.Errorf("tokens after the last: %v, %v", list, err)
	}
	if list, err = s.Tokens.ListTokens(ctx, bob, false, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("tokens of bob: %v, %v", list, err)
	}

	// The user that comes with a token is the user of now.
	a, err := s.Users.UserByID(ctx, alice)
	if err != nil {
		t.Fatal(err)
	}
	a.Suspended, a.Updated = true, at.Add(time.Hour)
	if err := s.Users.UpdateUser(ctx, a, at); err != nil {
		t.Fatal(err)
	}
	if _, user, err = s.Tokens.FindToken(ctx, hash); err != nil || !user.Suspended {
		t.Errorf("token of a suspended user: %+v, %v", user, err)
	}
}

func sameToken(t *testing.T, got, want *account.Token) {
	t.Helper()
	if got.ID != want.ID || got.UserID != want.UserID || got.Session != want.Session || got.Name != want.Name ||
		!slices.Equal(got.Scopes, want.Scopes) || got.Only != want.Only || got.Hint != want.Hint ||
		!got.Created.Equal(want.Created) || !got.Expires.Equal(want.Expires) || got.Expires.IsZero() != want.Expires.IsZero() ||
		!got.Used.Equal(want.Used) || got.Used.IsZero() != want.Used.IsZero() {
		t.Errorf("token\n %+v, want\n %+v", *got, *want)
	}
}

func testDeleteTokens(t *testing.T, s account.Stores) {
	ctx := t.Context()
	alice, bob := addUser(t, s, "alice"), addUser(t, s, "bob")
	var last byte
	add := func(user forge.UserID, session bool, expires time.Time) (int64, account.Hash) {
		t.Helper()
		last++
		hash := account.Hash{last}
		id, err := s.Tokens.CreateToken(ctx, &account.Token{UserID: user, Session: session, Created: at, Expires: expires}, hash)
		if err != nil {
			t.Fatal(err)
		}
		return id, hash
	}
	first, firstHash := add(alice, false, time.Time{})
	_, kept := add(alice, false, at.Add(time.Hour))
	_, expired := add(alice, false, at.Add(-time.Hour))
	_, session := add(alice, true, at.Add(time.Hour))
	_, others := add(bob, true, at.Add(-time.Hour))

	remove := func(user forge.UserID, which account.TokenSelection, want int, gone account.Hash) {
		t.Helper()
		if n, err := s.Tokens.DeleteTokens(ctx, user, which); err != nil || n != want {
			t.Errorf("DeleteTokens(%d, %+v): %d, %v; want %d", user, which, n, err, want)
		}
		if want > 0 {
			_, _, err := s.Tokens.FindToken(ctx, gone)
			wantNoRow(t, "FindToken of a deleted one", err)
		}
	}
	remove(bob, account.TokenSelection{ID: first}, 0, firstHash) // not his
	remove(alice, account.TokenSelection{ID: first}, 1, firstHash)
	remove(alice, account.TokenSelection{ID: first}, 0, firstHash)
	remove(alice, account.TokenSelection{}, 0, firstHash)
	remove(alice, account.TokenSelection{Expired: at}, 1, expired)
	remove(alice, account.TokenSelection{Sessions: true}, 1, session)
	for _, hash := range []account.Hash{kept, others} {
		if _, _, err := s.Tokens.FindToken(ctx, hash); err != nil {
			t.Errorf("token %d, not selected: %v", hash[0], err)
		}
	}
	if again, _ := add(alice, false, time.Time{}); again <= first {
		t.Errorf("new id %d after deleting %d: ids must not come again", again, first)
	}
}

func testKeys(t *testing.T, s account.Stores) {
	ctx := t.Context()
	alice, bob := addUser(t, s, "alice"), addUser(t, s, "bob")
	in := account.Key{UserID: alice, Title: "laptop", Authorized: "ssh-ed25519 AAAA", Fingerprint: "SHA256:aB/+c", Created: at}
	id, err := s.Keys.CreateKey(ctx, &in)
	if err != nil {
		t.Fatal(err)
	}
	in.ID = id
	for _, user := range []forge.UserID{alice, bob} {
		_, err = s.Keys.CreateKey(ctx, &account.Key{UserID: user, Fingerprint: in.Fingerprint, Created: at})
		wantKind(t, "fingerprint in use", err, forge.Conflict, "key")
	}
	_, err = s.Keys.CreateKey(ctx, &account.Key{UserID: bob + 1000, Fingerprint: "SHA256:q", Created: at})
	wantNoRow(t, "key of nobody", err)
	// Fingerprints are base64: case tells.
	if _, err = s.Keys.CreateKey(ctx, &account.Key{UserID: bob, Fingerprint: "SHA256:Ab/+c", Created: at}); err != nil {
		t.Errorf("fingerprint that differs in case: %v", err)
	}

	used := at.Add(time.Minute)
	if err := s.Keys.TouchKey(ctx, id, used); err != nil {
		t.Fatal(err)
	}
	if err := s.Keys.TouchKey(ctx, id+1000, used); err != nil {
		t.Errorf("TouchKey of none: %v", err)
	}
	got, user, err := s.Keys.FindKey(ctx, in.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	sameKey(t, got, &in, used)
	if user.ID != alice || user.Login != "alice" {
		t.Errorf("key of %+v, want alice", user)
	}
	_, _, err = s.Keys.FindKey(ctx, "SHA256:zzz")
	wantNoRow(t, "FindKey of none", err)
	list, err := s.Keys.ListKeys(ctx, alice, 0, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("ListKeys: %d, %v; want one", len(list), err)
	}
	sameKey(t, list[0], &in, used)
	if list, err = s.Keys.ListKeys(ctx, alice, id, 10); err != nil || len(list) != 0 {
		t.Errorf("keys after the last: %v, %v", list, err)
	}

	wantNoRow(t, "DeleteKey of another's", s.Keys.DeleteKey(ctx, bob, id))
	if err := s.Keys.DeleteKey(ctx, alice, id); err != nil {
		t.Fatal(err)
	}
	wantNoRow(t, "DeleteKey again", s.Keys.DeleteKey(ctx, alice, id))
	_, _, err = s.Keys.FindKey(ctx, in.Fingerprint)
	wantNoRow(t, "FindKey of a deleted one", err)
	// Whoever deleted a key may move it to another account.
	in.UserID = bob
	again, err := s.Keys.CreateKey(ctx, &in)
	if err != nil || again <= id {
		t.Errorf("key added again: id %d after %d, %v", again, id, err)
	}
}

func sameKey(t *testing.T, got, want *account.Key, used time.Time) {
	t.Helper()
	if got.ID != want.ID || got.UserID != want.UserID || got.Title != want.Title || got.Authorized != want.Authorized ||
		got.Fingerprint != want.Fingerprint || !got.Created.Equal(want.Created) || !got.Used.Equal(used) {
		t.Errorf("key\n %+v, want\n %+v used %v", *got, *want, used)
	}
}

func testSecrets(t *testing.T, s account.Stores) {
	ctx := t.Context()
	failure := errors.New("no randomness")
	if _, err := s.Secrets.LoadOrStore(ctx, "a", func() ([]byte, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("failing generate: %v", err)
	}
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			secret, err := s.Secrets.LoadOrStore(ctx, "a", func() ([]byte, error) { return []byte{0, 255, byte(i)}, nil })
			if err != nil {
				t.Error(err)
			}
			got[i] = string(secret)
		})
	}
	wg.Wait()
	for _, secret := range got {
		if secret != got[0] || len(secret) != 3 {
			t.Fatalf("racing callers got %q", got)
		}
	}
	later, err := s.Secrets.LoadOrStore(ctx, "a", func() ([]byte, error) { return []byte("other"), nil })
	if err != nil || string(later) != got[0] {
		t.Errorf("later: %q, %v; want %q", later, err, got[0])
	}
	other, err := s.Secrets.LoadOrStore(ctx, "b", func() ([]byte, error) { return []byte("other"), nil })
	if err != nil || string(other) != "other" {
		t.Errorf("another name: %q, %v", other, err)
	}
}
