package history

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// Filter leaves objects out of a fetch, as git-rev-list(1) --filter has it. A
// combined filter lets through what all its parts let through in the same
// place. (Stock git's combination leaves out more: an object that one part let
// through once does not count when another part lets it through later.)
type Filter struct {
	parts []filterPart // at least one; none is a combination
}

type filterPart struct {
	choice filterChoice
	number uint64   // of byLimit and byDepth
	kind   git.Kind // of byKind
	sparse git.ID   // of bySparse
}

type filterChoice uint8

const (
	byNone   filterChoice = iota // blob:none
	byLimit                      // blob:limit
	byDepth                      // tree
	byKind                       // object:type
	bySparse                     // sparse:oid
)

// MaxFilterParts bounds the parts of a combined filter, and how deep
// combinations may be nested.
const MaxFilterParts = 16

// ParseFilter reads a filter spec of the protocol: blob:none,
// blob:limit=<n>[kmg], tree:<depth>, object:type=<kind>, sparse:oid=<name>,
// combine:<spec>+<spec> (parts percent-encoded, and nested if need be).
// resolve turns the name of sparse:oid (an id, or something like "main:path")
// into the id of a blob that it vouches for; if it is nil, sparse:oid is
// refused.
func ParseFilter(spec string, resolve func(name string) (git.ID, error)) (*Filter, error) {
	f := new(Filter)
	todo := []string{spec}
	for combined := 0; len(todo) > 0; {
		spec := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		list, ok := strings.CutPrefix(spec, "combine:")
		if !ok {
			part, err := parseFilterPart(spec, resolve)
			if err != nil {
				return nil, err
			}
			f.parts = append(f.parts, part)
			continue
		}
		parts, err := splitCombined(list)
		if err != nil {
			return nil, err
		}
		if combined++; combined > MaxFilterParts || len(f.parts)+len(todo)+len(parts) > MaxFilterParts {
			return nil, fmt.Errorf("filter of more than %d parts", MaxFilterParts)
		}
		for i := len(parts) - 1; i >= 0; i-- {
			todo = append(todo, parts[i])
		}
	}
	return f, nil
}

// reserved are the characters that a part of a combination must encode, besides
// blanks and controls.
const reserved = "~`!@#$^&*()[]{}\\;'\",<>?"

// splitCombined returns the decoded parts of a combination.
func splitCombined(list string) ([]string, error) {
	if strings.Count(list, "+") > 2*MaxFilterParts { // empty parts do no harm
		return nil, fmt.Errorf("filter of more than %d parts", MaxFilterParts)
	}
	var parts []string
	for _, part := range strings.Split(list, "+") {
		if part == "" {
			continue
		}
		for i := range len(part) {
			if part[i] <= ' ' || strings.IndexByte(reserved, part[i]) >= 0 {
				return nil, fmt.Errorf("filter part %q: %q must be percent-encoded", clip(part), part[i])
			}
		}
		parts = append(parts, percentDecode(part))
	}
	if len(parts) == 0 {
		return nil, errors.New("filter combines nothing")
	}
	return parts, nil
}

func percentDecode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil && c > 0 {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i]) // as git does with what is no encoding
	}
	return b.String()
}

func parseFilterPart(spec string, resolve func(string) (git.ID, error)) (part filterPart, err error) {
	if spec == "blob:none" {
		return filterPart{choice: byNone}, nil
	}
	if limit, ok := strings.CutPrefix(spec, "blob:limit="); ok {
		part.choice = byLimit
		if part.number, ok = parseNumber(limit); ok {
			return part, nil
		}
	}
	if depth, ok := strings.CutPrefix(spec, "tree:"); ok {
		part.choice = byDepth
		if part.number, ok = parseNumber(depth); ok {
			return part, nil
		}
	}
	if kind, ok := strings.CutPrefix(spec, "object:type="); ok {
		part.choice = byKind
		if part.kind, err = git.ParseKind(kind); err == nil {
			return part, nil
		}
	}
	if name, ok := strings.CutPrefix(spec, "sparse:oid="); ok && resolve != nil {
		part.choice = bySparse
		if part.sparse, err = resolve(name); err != nil {
			return filterPart{}, fmt.Errorf("filter sparse:oid=%q: %w", clip(name), err)
		}
		return part, nil
	}
	return filterPart{}, fmt.Errorf("bad filter %q", clip(spec))
}

// parseNumber reads a number as git's options have it: decimal, octal or
// hexadecimal as in C, and k, m or g behind it.
func parseNumber(s string) (uint64, bool) {
	unit := uint64(1)
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		}
		if unit > 1 {
			s = s[:len(s)-1]
		}
	}
	base := 10
	switch {
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		s, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil || n > math.MaxUint64/unit {
		return 0, false
	}
	return n * unit, true
}

// String returns the spec in one normal form: numbers in full, combinations
// flat, names resolved.
func (f *Filter) String() string {
	if len(f.parts) == 1 {
		return f.parts[0].String()
	}
	specs := make([]string, len(f.parts))
	for i, part := range f.parts {
		specs[i] = percentEncode(part.String())
	}
	return "combine:" + strings.Join(specs, "+")
}

func (p filterPart) String() string {
	switch p.choice {
	case byLimit:
		return "blob:limit=" + strconv.FormatUint(p.number, 10)
	case byDepth:
		return "tree:" + strconv.FormatUint(p.number, 10)
	case byKind:
		return "object:type=" + p.kind.String()
	case bySparse:
		return "sparse:oid=" + p.sparse.String()
	}
	return "blob:none"
}

func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '%' || c == '+' || strings.IndexByte(reserved, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// clip keeps a hostile string short enough for an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
