package code

import (
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/forge"
)

// Noreply is the address of a user in commits made here, in GitHub's form:
// "7+alice@users.noreply.HOST". The id in it keeps it true when the login changes hands.
func Noreply(id forge.UserID, login, host string) string {
	return strconv.FormatInt(int64(id), 10) + "+" + login + "@users.noreply." + host
}

// FromNoreply returns whose address it is, if it is such a one.
func FromNoreply(address, host string) (id forge.UserID, ok bool) {
	local, found := strings.CutSuffix(strings.ToLower(address), "@users.noreply."+strings.ToLower(host))
	digits, login, plus := strings.Cut(local, "+")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !found || !plus || err != nil || n <= 0 || !forge.IsLogin(login) {
		return 0, false
	}
	return forge.UserID(n), true
}
