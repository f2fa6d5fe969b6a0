package wire

import (
	"iter"
	"strings"
)

// Capabilities is a list of capabilities as versions 0 and 1 write it: names,
// or name=value, between spaces.
type Capabilities string

// All walks the list: each name with its value, which is "" where there is none.
func (c Capabilities) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for field := range strings.FieldsSeq(string(c)) {
			name, value, _ := strings.Cut(field, "=")
			if !yield(name, value) {
				return
			}
		}
	}
}

// Has reports whether the list names a capability, with or without a value.
func (c Capabilities) Has(name string) bool {
	_, ok := c.Value(name)
	return ok
}

// Value returns the value of the first capability of that name.
func (c Capabilities) Value(name string) (value string, ok bool) {
	for n, v := range c.All() {
		if n == name {
			return v, true
		}
	}
	return "", false
}

// With returns the list with one capability more; value may be "".
func (c Capabilities) With(name, value string) Capabilities {
	if c != "" {
		c += " "
	}
	c += Capabilities(name)
	if value != "" {
		c += Capabilities("=" + CleanValue(value))
	}
	return c
}

// CleanValue replaces what may not stand in a capability's value (spaces,
// control characters and bytes beyond ASCII) by dots, as git does with its agent.
func CleanValue(value string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return '.'
		}
		return r
	}, value)
}
