// Package serve holds what every way in shares: who asks (Authenticator), what
// an error of the core means to HTTP (Status), how long a request may take
// (Deadlines), and what is logged and counted (Observe, Metrics).
//
// The packages below it (githttp, ssh, api, web) never import each other, and
// none of them decides what a caller may do: forge/hosting and forge/account do.
package serve

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
)

// Authenticator finds out who sends a request. It may be used from several
// goroutines at once.
type Authenticator struct {
	Accounts *account.Service
	// Proxies are the peers whose X-Forwarded-For is believed. Without them the
	// header is ignored, as anybody can send it.
	Proxies []netip.Prefix

	origin http.CrossOriginProtection
}

// maxCredential bounds the Authorization header, in bytes. A header that long
// is no credential of ours.
const maxCredential = 4096

// Actor returns who sends r: by Bearer or token, by Basic with a token in
// either place or with login and password, and anonymous without any. A
// credential that is there but does not prove anything is an error, never
// anonymous: a client that means to be somebody must hear that it is not.
// Tokens in the URL are not looked at. Basic counts for nothing in a request by
// which a page of another site means to change something.
func (a *Authenticator) Actor(r *http.Request) (*forge.Actor, error) {
	from := a.Address(r)
	anonymous := forge.Anonymous(from)
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) == 0, len(headers) == 1 && headers[0] == "":
		return anonymous, nil
	case len(headers) > 1, len(headers[0]) > maxCredential:
		// Of two headers a proxy in front may have looked at the other one.
		return nil, forge.Deniedf(anonymous, "Bad credentials")
	}
	scheme, rest, _ := strings.Cut(headers[0], " ")
	switch strings.ToLower(scheme) {
	case "basic":
		login, password, ok := r.BasicAuth()
		if !ok {
			return nil, forge.Deniedf(anonymous, "Bad credentials")
		}
		// A browser that once asked its user for a password sends it along with
		// whatever a page from elsewhere makes it send here.
		if a.origin.Check(r) != nil {
			return nil, &forge.Error{Kind: forge.Denied, Message: "Request of another site's page"}
		}
		return a.Accounts.Basic(r.Context(), login, password, from)
	case "bearer", "token":
		return a.Accounts.Token(r.Context(), strings.TrimSpace(rest), from)
	}
	return nil, forge.Deniedf(anonymous, "Bad credentials")
}

// Address returns the address of the client: of the peer, or, behind trusted
// proxies, the last one in X-Forwarded-For that is not such a proxy.
func (a *Authenticator) Address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a test's recorder, or a unix socket
	}
	addr := peer.Addr().Unmap()
	if !a.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = next.Unmap()
		if !a.trusted(addr) {
			break
		}
	}
	return addr
}

// parseHop reads an address, with or without the port that some proxies add.
func parseHop(hop string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr(), nil
	}
	return netip.ParseAddr(hop)
}

func (a *Authenticator) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(a.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
