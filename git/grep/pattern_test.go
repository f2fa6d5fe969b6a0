package grep_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ingot-forge/ingot/git/grep"
)

func compile(t testing.TB, pattern string, o grep.PatternOptions) *grep.Pattern {
	t.Helper()
	p, err := grep.Compile(pattern, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNeedles(t *testing.T) {
	for _, c := range []struct {
		pattern     string
		fold        bool
		needle      string
		wantFold    bool
		wantedWhole bool
	}{
		{"return", false, "return", false, true},
		{"foo.*barbar", false, "barbar", false, false},
		{"a+(xyz)b*", false, "xyz", false, false},
		{`x\bfoo`, false, "xfoo", false, false},
		{"^foo$", false, "foo", false, false},
		{"(?:foo|bar)qu", false, "qu", false, false},
		{"foo|bar", false, "", false, false},
		{"(ab){3}", false, "ababab", false, true},
		{"(abc)*", false, "", false, false},
		{"(abc)+", false, "abc", false, false},
		{"Return", true, "return", true, true},
		{"(?i:ab)CD", false, "abcd", true, false},
		{"(?i:ab)_1", false, "ab_1", true, true},
		{"É", false, "É", false, true},
		{"sßab", true, "ab", true, false},
		{"12.34", true, "12", false, false},
		{`a\n`, false, "", false, false},
		{"a.b", false, "a", false, false},
	} {
		needle, fold, whole := compile(t, c.pattern, grep.PatternOptions{IgnoreCase: c.fold}).Needle()
		if needle != c.needle || fold != c.wantFold || whole != c.wantedWhole {
			t.Errorf("%q: needle %q, fold %v, whole %v; want %q, %v, %v",
				c.pattern, needle, fold, whole, c.needle, c.wantFold, c.wantedWhole)
		}
	}
}

func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := "aAbB_[{"
	text := func(n int) string {
		var b []byte
		for range n {
			b = append(b, letters[r.IntN(len(letters))])
		}
		return string(b)
	}
	ascii := func(s string) string { // strings.ToLower of ASCII alone
		return strings.Map(func(c rune) rune {
			if 'A' <= c && c <= 'Z' {
				return c + 32
			}
			return c
		}, s)
	}
	for range 5000 {
		needle, data := text(1+r.IntN(4)), text(r.IntN(30))
		if got, want := grep.Index(needle, false, data), strings.Index(data, needle); got != want {
			t.Fatalf("%q in %q at %d, want %d", needle, data, got, want)
		}
		if got, want := grep.Index(needle, true, data), strings.Index(ascii(data), ascii(needle)); got != want {
			t.Fatalf("%q in %q, in any case, at %d, want %d", needle, data, got, want)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"a(":                           "missing closing )",
		"a**":                          "invalid nested repetition",
		"\xff":                         "invalid UTF-8",
		`a(?=b)`:                       `invalid or unsupported Perl syntax: "(?="`,
		"a)(b":                         "unexpected )",
		strings.Repeat("a", 4097):      "longer than 4096 bytes",
		strings.Repeat(`\pL{200}`, 20): "too large",
		`(\pL{900}){2}`:                "",
	} {
		_, err := grep.Compile(pattern, grep.PatternOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", pattern, err, want)
		}
	}
	if _, err := grep.Compile("\xff", grep.PatternOptions{Fixed: true}); err != nil {
		t.Errorf("any bytes may be searched for: %v", err)
	}
}

// byBytes lets regexp see each byte as a character of its own, so that it matches by bytes.
func byBytes(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// model is the lines of a text that regexp finds.
func model(re *regexp.Regexp, data []byte) (lines []int) {
	if len(data) == 0 {
		return nil
	}
	for i, line := range strings.Split(strings.TrimSuffix(byBytes(data), "\n"), "\n") {
		if re.MatchString(line) {
			lines = append(lines, i)
		}
	}
	return lines
}

// check compares all ways to match with regexp.
func check(t testing.TB, pattern string, o grep.PatternOptions, data []byte) {
	t.Helper()
	expression := pattern
	if o.Fixed {
		expression = regexp.QuoteMeta(pattern)
	}
	if _, err := regexp.Compile(expression); err != nil {
		return
	}
	if o.IgnoreCase {
		expression = "(?i:" + expression + ")"
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return
	}
	p, err := grep.Compile(pattern, o)
	if err != nil {
		return // too large
	}
	want := model(re, data)
	for name, lines := range map[string][]int{
		"matched": p.MatchLines(data), "simulated": p.Simulated(data), "scanned": p.Scanned(data),
	} {
		if !slices.Equal(lines, want) {
			t.Fatalf("%q (%+v) in %q: %s: lines %v, want %v", pattern, o, data, name, lines, want)
		}
	}
}

// randomPattern makes an expression that egrep reads as RE2 does.
func randomPattern(r *rand.Rand, depth int) string {
	atoms := []string{"a", "b", "c", "ab", "foo", ".", "[a-c]", "[^a]", "x", "_", "[[:alpha:]]", "bar", "[0-9]", " "}
	switch n := r.IntN(12); {
	case depth == 0 || n < 4:
		return atoms[r.IntN(len(atoms))]
	case n < 7:
		return randomPattern(r, depth-1) + randomPattern(r, depth-1)
	case n == 7:
		return "(" + randomPattern(r, depth-1) + "|" + randomPattern(r, depth-1) + ")"
	case n == 8:
		return "(" + randomPattern(r, depth-1) + ")" + []string{"*", "+", "?", "{2}", "{1,3}"}[r.IntN(5)]
	case n == 9:
		return "(^" + randomPattern(r, depth-1) + "|" + randomPattern(r, depth-1) + ")"
	case n == 10:
		return "(" + randomPattern(r, depth-1) + "$|" + randomPattern(r, depth-1) + ")"
	}
	return `\b` + randomPattern(r, depth-1)
}

func randomText(r *rand.Rand, n int) []byte {
	words := []string{"a", "b", "c", "foo", "bar", " ", "_", "x", "7", "\n", "\n", "\r\n", "é", "\xff", "A", "FOO", "\t"}
	var b []byte
	for range n {
		b = append(b, words[r.IntN(len(words))]...)
	}
	return b
}

func TestMatchesAsRegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 4000 {
		o := grep.PatternOptions{IgnoreCase: r.IntN(3) == 0, Fixed: r.IntN(8) == 0}
		check(t, randomPattern(r, 4), o, randomText(r, r.IntN(120)))
	}
}

// TestManyStates takes patterns whose states double with each repetition, so that they are
// forgotten, and given up.
func TestManyStates(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var data []byte
	for range 400 {
		for range 30 + r.IntN(400) {
			data = append(data, "ab"[r.IntN(2)])
		}
		data = append(data, '\n')
	}
	for _, pattern := range []string{`a[ab]{16}c`, `a[ab]{18}$`, `^(a|b)*a[ab]{200}a$`, `\ba[ab]{15}a`} {
		check(t, pattern, grep.PatternOptions{}, data)
	}
}

// TestCharacters takes each character next to the ends of ranges.
func TestCharacters(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	edges := []rune{0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10fffe}
	for range 300 {
		pick := func() rune {
			c := rune(r.IntN(utf8.MaxRune))
			if r.IntN(2) == 0 {
				c = edges[r.IntN(len(edges))] + rune(r.IntN(5)) - 2
			}
			return min(max(c, 1), utf8.MaxRune-1)
		}
		lo, hi := pick(), pick()
		lo, hi = min(lo, hi), max(lo, hi)
		p := compile(t, fmt.Sprintf(`^[\x{%x}-\x{%x}]$`, lo, hi), grep.PatternOptions{})
		for _, c := range append(edges, lo-1, lo, lo+1, hi-1, hi, hi+1, (lo+hi)/2, lo|0x3f, lo|0xfff, hi&^0x3f, hi&^0xfff-1) {
			if !utf8.ValidRune(c) || c < 0 || c == '\n' {
				continue
			}
			want := lo <= c && c <= hi
			if got := len(p.MatchLines([]byte(string(c)))) == 1; got != want {
				t.Fatalf("[%#x-%#x] matches %#x: %v", lo, hi, c, got)
			}
		}
	}
	for _, c := range []struct {
		pattern, text string
		fold, want    bool
	}{
		{"^.$", "é", false, false}, {"^..$", "é", false, true}, {"^é$", "é", false, true}, {"^[éa]$", "é", false, true},
		{"^[^a]$", "\xff", false, true}, {"é", "É", true, true}, {"k", "\u212a", true, false}, {"^σ$", "ς", true, true},
		{`^\pL+$`, "größe", false, true}, {`^\pL$`, "\xff", false, false},
		{"^[^a-z]$", "\xff", true, true}, {"[a-z]", "\u212a", true, false}, {"[j-l]", "K", true, true}, {"[^s]", "S", true, false}, {"日本", "x日本語", false, true},
	} {
		p := compile(t, c.pattern, grep.PatternOptions{IgnoreCase: c.fold})
		if got := len(p.MatchLines([]byte(c.text))) == 1; got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestLinesOfAPattern(t *testing.T) {
	p := compile(t, "foo\nb.r", grep.PatternOptions{})
	if got := p.MatchLines([]byte("x\nfoo\nfo\nbar\n")); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("lines %v", got)
	}
	p = compile(t, "foo\nb.r", grep.PatternOptions{Fixed: true})
	if got := p.MatchLines([]byte("x\nfoo\nb.r\nbar\n")); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("fixed: lines %v", got)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a[ab]{3}c|^foo$", false, false, []byte("aabbc\nfoo\r\nfoo"))
	f.Add(`\bfoo\B.`, true, false, []byte("FOOx\n\nfoo"))
	f.Add("re.turn", false, true, []byte("re.turn"))
	f.Fuzz(func(t *testing.T, pattern string, fold, fixed bool, data []byte) {
		for _, c := range []byte(pattern) {
			if c >= utf8.RuneSelf || c == '\n' {
				return // regexp sees other characters there
			}
		}
		if len(pattern) > 60 || len(data) > 2000 || strings.ContainsAny(pattern, `\`) && !fixed && strings.ContainsAny(pattern, "xpPsSQn") {
			return // characters beyond ASCII by name; and line feeds
		}
		check(t, pattern, grep.PatternOptions{IgnoreCase: fold, Fixed: fixed}, data)
	})
}
