package serve_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/account/accounttest"
	"github.com/ingot-forge/ingot/serve"
)

// people is an Authenticator over accounts in memory, with the user alice and a
// token of hers.
func people(t *testing.T) (*serve.Authenticator, string) {
	t.Helper()
	accounts := account.New(new(accounttest.Memory).Stores(), account.Config{})
	_, err := accounts.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: "alice", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := accounts.CreateToken(t.Context(), forge.Machine(), "alice", account.NewToken{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return &serve.Authenticator{Accounts: accounts}, token
}

func basic(login, password string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(login, password)
	return r.Header.Get("Authorization")
}

func TestActor(t *testing.T) {
	who, token := people(t)
	for _, c := range []struct {
		name    string
		headers []string
		want    string // login and credential; "" for anonymous, "denied"
	}{
		{"nothing", nil, ""},
		{"empty", []string{""}, ""},
		{"bearer", []string{"Bearer " + token}, "alice by token"},
		{"token", []string{"token " + token}, "alice by token"},
		{"upper case", []string{"TOKEN " + token}, "alice by token"},
		{"token as password", []string{basic("x-access-token", token)}, "alice by token"},
		{"token as password of another", []string{basic("bob", token)}, "alice by token"},
		{"token as login", []string{basic(token, "")}, "alice by token"},
		{"token as login with x-oauth-basic", []string{basic(token, "x-oauth-basic")}, "alice by token"},
		{"password", []string{basic("alice", "correct horse")}, "alice by password"},
		{"wrong password", []string{basic("alice", "wrong")}, "denied"},
		{"no such user", []string{basic("nobody", "wrong")}, "denied"},
		{"empty basic", []string{basic("", "")}, "denied"},
		{"wrong token", []string{"Bearer " + token[:len(token)-1] + "x"}, "denied"},
		{"no token", []string{"Bearer"}, "denied"},
		{"not base64", []string{"Basic ???"}, "denied"},
		{"another scheme", []string{"Digest username=alice"}, "denied"},
		{"password as bearer", []string{"Bearer correct horse"}, "denied"},
		{"too long", []string{"Bearer " + strings.Repeat("x", 5000)}, "denied"},
		{"two", []string{"Bearer " + token, "Bearer " + token}, "denied"},
	} {
		r := httptest.NewRequest("GET", "/?token="+token+"&access_token="+token, nil)
		r.Header["Authorization"] = c.headers
		r.Header.Set("X-Webauth-User", "alice")
		r.Header.Set("X-Forwarded-User", "alice")
		r.Header.Set("Remote-User", "alice")
		actor, err := who.Actor(r)
		got := ""
		switch {
		case forge.KindOf(err) == forge.Denied:
			got = "denied"
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case actor.User != nil:
			got = actor.Login() + " by " + strings.Fields(actor.Credential.String())[0]
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestActorOfAnotherSite: a browser sends a password that it knows along with the
// requests of anybody's pages. What a script has to set itself it cannot know.
func TestActorOfAnotherSite(t *testing.T) {
	who, token := people(t)
	for _, c := range []struct {
		name, method, authorization string
		header                      [2]string
		ok                          bool
	}{
		{"git", "POST", basic("alice", token), [2]string{}, true},
		{"own page", "POST", basic("alice", token), [2]string{"Sec-Fetch-Site", "same-origin"}, true},
		{"address bar", "POST", basic("alice", token), [2]string{"Sec-Fetch-Site", "none"}, true},
		{"own page, old browser", "POST", basic("alice", token), [2]string{"Origin", "http://example.com"}, true},
		{"another page", "POST", basic("alice", token), [2]string{"Sec-Fetch-Site", "cross-site"}, false},
		{"sister host", "DELETE", basic("alice", "correct horse"), [2]string{"Sec-Fetch-Site", "same-site"}, false},
		{"another page, old browser", "PUT", basic("alice", token), [2]string{"Origin", "https://evil.example"}, false},
		{"sandboxed page", "PATCH", basic("alice", token), [2]string{"Origin", "null"}, false},
		{"reading", "GET", basic("alice", token), [2]string{"Sec-Fetch-Site", "cross-site"}, true},
		{"bearer", "POST", "Bearer " + token, [2]string{"Sec-Fetch-Site", "cross-site"}, true},
	} {
		r := httptest.NewRequest(c.method, "http://example.com/api/v3/user/keys", nil)
		r.Header.Set("Authorization", c.authorization)
		if c.header[0] != "" {
			r.Header.Set(c.header[0], c.header[1])
		}
		actor, err := who.Actor(r)
		if c.ok && (err != nil || actor.Login() != "alice") || !c.ok && forge.KindOf(err) != forge.Denied {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		peer      string
		forwarded []string
		proxies   []netip.Prefix
		want      string
	}{
		{"192.0.2.1:1234", nil, nil, "192.0.2.1"},
		{"[::ffff:192.0.2.1]:1234", nil, nil, "192.0.2.1"},
		{"192.0.2.1:1234", []string{"1.2.3.4"}, nil, "192.0.2.1"},
		{"192.0.2.1:1234", []string{"1.2.3.4"}, proxies, "192.0.2.1"},
		{"10.0.0.1:1234", nil, proxies, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"192.0.2.7"}, proxies, "192.0.2.7"},
		{"[::ffff:10.0.0.1]:1234", []string{"192.0.2.7"}, proxies, "192.0.2.7"},
		{"10.0.0.1:1234", []string{"192.0.2.7:55"}, proxies, "192.0.2.7"},
		{"[fd00::1]:1", []string{"[2001:db8::7]:55"}, proxies, "2001:db8::7"},
		{"10.0.0.1:1234", []string{"1.2.3.4, 192.0.2.7"}, proxies, "192.0.2.7"},
		{"10.0.0.1:1234", []string{"1.2.3.4", "192.0.2.7"}, proxies, "192.0.2.7"},
		{"10.0.0.1:1234", []string{"1.2.3.4, 192.0.2.7, 10.9.9.9"}, proxies, "192.0.2.7"},
		{"10.0.0.1:1234", []string{"10.3.3.3"}, proxies, "10.3.3.3"},
		{"10.0.0.1:1234", []string{"1.2.3.4, rubbish"}, proxies, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"1.2.3.4, rubbish, 10.9.9.9"}, proxies, "10.9.9.9"},
		{"@", []string{"1.2.3.4"}, proxies, "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = slices.Clone(c.forwarded)
		r.Header.Set("X-Real-Ip", "9.9.9.9")
		r.Header.Set("Forwarded", "for=9.9.9.9")
		if got := (&serve.Authenticator{Proxies: c.proxies}).Address(r); got.String() != c.want {
			t.Errorf("%s forwarding %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestAddressOfManyHops(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header = http.Header{"X-Forwarded-For": {strings.Repeat("10.0.0.2,", 100_000) + "10.0.0.3"}}
	who := &serve.Authenticator{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	if got := who.Address(r); got.String() != "10.0.0.2" {
		t.Errorf("%s, want the first of the chain of proxies", got)
	}
}
