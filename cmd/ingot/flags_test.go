package main

import (
	"net"
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1, "512": 512, "1KiB": 1 << 10, "64 MiB": 64 << 20, "4GiB": 4 << 30, "2TiB": 2 << 40,
		"-1": -1, "": -1, "KiB": -1, "4GB": -1, "1.5GiB": -1, "1kib": -1, "0x10": -1, "1_000": -1, "9223372036854775807": -1,
		"9223372036854775808": -1, "99999999TiB": -1, "1KiBKiB": -1, "4194304TiB": 4194304 << 40} {
		var s size
		err := s.UnmarshalText([]byte(text))
		if (err == nil) != (want >= 0) || err == nil && int64(s) != want {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
}

func TestParseLifetime(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"30d": 30 * day, "1d": day, "12h": 12 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute,
		"36500d": 36500 * day, "": 0, "d": 0, "0d": 0, "0": 0, "-1d": 0, "-5h": 0, "30": 0, "1.5d": 0, "1h1d": 0, "1d1h": 0, "36501d": 0,
		"2000000d": 0, "99999999999999999999d": 0, "30D": 0, "never": 0, "1000000h": 0} {
		got, err := parseLifetime(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestParseNetworks(t *testing.T) {
	got, err := parseNetworks([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"})
	if err != nil || len(got) != 4 || got[1].String() != "192.0.2.1/32" || got[3].String() != "::1/128" {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "*", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/8,::1"} {
		if got, err := parseNetworks([]string{text}); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestSplitName(t *testing.T) {
	if owner, name, err := splitName("alice/project"); owner != "alice" || name != "project" || err != nil {
		t.Errorf("%q %q %v", owner, name, err)
	}
	for _, text := range []string{"", "/", "alice", "alice/", "/project"} {
		if _, _, err := splitName(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestDialable(t *testing.T) {
	for _, c := range []struct {
		ip   net.IP
		want string
	}{{net.IPv4(127, 0, 0, 1), "127.0.0.1:22"}, {net.IPv4zero, "forge.example:22"}, {net.IPv6zero, "forge.example:22"}, {net.IPv6loopback, "[::1]:22"}} {
		if got := dialable(&net.TCPAddr{IP: c.ip, Port: 22}, "forge.example"); got != c.want {
			t.Errorf("%s: %s, want %s", c.ip, got, c.want)
		}
	}
}
