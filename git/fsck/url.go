package fsck

import "strings"

// checkSubmoduleURL says why a submodule's url is refused: git's rules of
// CVE-2018-17456 and CVE-2020-11008 and what followed. They ask what the helper
// that fetches it, and the one that finds its password, make of it: a line feed
// adds lines to what the latter reads, and a URL without a host takes the
// password of another. A line feed in the plain is refused in any url by us.
func checkSubmoduleURL(url string) string {
	if strings.HasPrefix(url, "-") {
		return "looks like an option"
	}
	if strings.ContainsAny(url, "\r\n") {
		return "line feed"
	}
	if isRelative(url) || strings.HasPrefix(url, "git://") {
		if strings.Contains(decodeURL(url), "\n") {
			return "encoded line feed"
		}
		// Climbing out of the host, a relative url can put another one there.
		if up, rest := leadingDotDots(url); up > 0 && rest != "" && (rest[0] == ':' || rest[0] == '/') {
			return "replaces the host"
		}
		return ""
	}
	for _, scheme := range []string{"http", "https", "ftp", "ftps"} {
		rest, ok := strings.CutPrefix(url, scheme+":")
		if !ok {
			continue
		}
		if inner, ok := strings.CutPrefix(rest, ":"); ok {
			return checkCurlURL(inner)
		}
		if strings.HasPrefix(rest, "//") {
			return checkCurlURL(url)
		}
	}
	return ""
}

func isRelative(url string) bool {
	return len(url) >= 2 && url[0] == '.' && isSeparator(rune(url[1])) ||
		len(url) >= 3 && url[:2] == ".." && isSeparator(rune(url[2]))
}

// leadingDotDots counts the "../" that url starts with, and takes them and any
// "./" from it.
func leadingDotDots(url string) (n int, rest string) {
	for isRelative(url) {
		if url[1] == '.' {
			n++
			url = url[3:]
		} else {
			url = url[2:]
		}
	}
	return n, url
}

// decodeURL undoes percent encoding behind the scheme. %00 and what is no
// encoding stay.
func decodeURL(url string) string {
	start := max(strings.IndexByte(url, ':'), 0)
	decoded := make([]byte, 0, len(url))
	decoded = append(decoded, url[:start]...)
	for i := start; i < len(url); i++ {
		if c, ok := percent(url[i:]); ok && c != 0 {
			decoded = append(decoded, c)
			i += 2
			continue
		}
		decoded = append(decoded, url[i])
	}
	return string(decoded)
}

// percent decodes the "%2f" that s may start with.
func percent(s string) (c byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	hi, lo := hexValue(s[1]), hexValue(s[2])
	return hi<<4 | lo&15, hi < 16 && lo < 16
}

func hexValue(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// checkCurlURL says why a url that git gives to curl is refused: it must have a
// scheme, a host of host characters, a port between 1 and 65535 if any, nothing
// that is no percent encoding behind a percent sign, no ".." above the root, and
// no encoded line feed.
func checkCurlURL(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || scheme == "" || !isLetter(scheme[0]) || strings.ContainsFunc(scheme, notInScheme) {
		return "no scheme"
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, tail := rest[:end], rest[end:]
	if user, h, ok := strings.Cut(host, "@"); ok {
		if !validEscapes(user) {
			return "bad percent encoding"
		}
		host = h
	}
	if why := checkHost(host); why != "" {
		return why
	}
	if !validEscapes(tail) {
		return "bad percent encoding"
	}
	path := tail
	if i := strings.IndexAny(tail, "?#"); i >= 0 {
		path = tail[:i]
	}
	if climbs(path) {
		return "climbs above the root"
	}
	if strings.Contains(decodeURL(url), "\n") {
		return "encoded line feed"
	}
	return ""
}

func notInScheme(r rune) bool {
	return r > 127 || !isLetter(byte(r)) && !isDigit(byte(r)) && !strings.ContainsRune("+.-", r)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// checkHost judges "host:port". Git lets a file: url have no host; nobody wants
// such a one through curl, and git 2.39 does not.
func checkHost(hostPort string) string {
	if hostPort == "" || hostPort[0] == ':' {
		return "no host"
	}
	host, port := hostPort, ""
	// A colon before a closing bracket belongs to an IPv6 address.
	if i := strings.LastIndexAny(hostPort, ":]"); i >= 0 && hostPort[i] == ':' {
		host, port = hostPort[:i], hostPort[i+1:]
	}
	for i := range len(host) {
		if c := host[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte(".-_[:]", c) < 0 {
			return "bad host"
		}
	}
	if port == "" {
		return "" // also "host:", the scheme's own port
	}
	number := 0
	for _, c := range strings.TrimLeft(port, "0") {
		if c < '0' || c > '9' {
			return "bad port"
		}
		if number = number*10 + int(c-'0'); number > 65535 {
			return "bad port"
		}
	}
	if number == 0 {
		return "bad port"
	}
	return ""
}

// validEscapes reports whether two hexadecimal digits follow every percent sign.
func validEscapes(s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return true
		}
		if _, ok := percent(s[i:]); !ok {
			return false
		}
		s = s[i+3:]
	}
}

// climbs reports whether path has more ".." than directories at some point.
func climbs(path string) bool {
	depth := 0
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch strings.ReplaceAll(strings.ReplaceAll(part, "%2e", "."), "%2E", ".") {
		case ".":
		case "..":
			if depth == 0 {
				return true
			}
			depth--
		default:
			depth++
		}
	}
	return false
}
