package grep

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// PatternOptions say how to read a pattern.
type PatternOptions struct {
	Fixed      bool // the pattern is text, not an expression
	IgnoreCase bool
}

const (
	// MaxPattern bounds the length of a pattern in bytes.
	MaxPattern = 4096
	// MaxProgram bounds what a pattern is compiled to, in states of the automaton: a byte may cost as
	// many steps.
	MaxProgram = 20_000
)

// PatternError says what is wrong with a pattern.
type PatternError struct{ Pattern, Fault string }

func (e *PatternError) Error() string { return fmt.Sprintf("pattern %.200q: %s", e.Pattern, e.Fault) }

// Pattern is a compiled pattern. It may be used from several goroutines at once.
type Pattern struct {
	need  *needle  // what every line that matches contains; nil if nothing is known
	whole bool     // the needle is all there is to the pattern
	prog  *program // nil if whole
}

// Compile compiles a pattern. Each of its lines is a pattern of its own, as for grep: a line
// matches where one of them does. Errors are *PatternError.
func Compile(pattern string, o PatternOptions) (*Pattern, error) {
	if len(pattern) > MaxPattern {
		return nil, &PatternError{pattern, fmt.Sprintf("is longer than %d bytes", MaxPattern)}
	}
	if o.Fixed && !o.IgnoreCase && pattern != "" && !strings.Contains(pattern, "\n") {
		// Any bytes will do, also such that are no text.
		return &Pattern{need: newNeedle([]byte(pattern), false), whole: true}, nil
	}
	flags := syntax.Perl
	if o.IgnoreCase {
		flags |= syntax.FoldCase
	}
	var alternatives []*syntax.Regexp
	for _, line := range strings.Split(pattern, "\n") {
		if o.Fixed {
			line = regexp.QuoteMeta(line)
		}
		re, err := syntax.Parse(line, flags)
		if err != nil {
			return nil, &PatternError{pattern, fault(err)}
		}
		alternatives = append(alternatives, re)
	}
	re := alternatives[0]
	if len(alternatives) > 1 {
		re = &syntax.Regexp{Op: syntax.OpAlternate, Sub: alternatives}
	}
	re = re.Simplify()
	p := new(Pattern)
	if l := required(re); len(l.best) > 0 {
		p.need = newNeedle(l.best, l.bestFold)
		p.whole = l.exact && !l.bound && !(l.fold && l.strict)
	}
	if p.whole {
		return p, nil
	}
	compiled, err := syntax.Compile(re)
	if err != nil {
		return nil, &PatternError{pattern, fault(err)}
	}
	if p.prog = newProgram(compiled); p.prog == nil {
		return nil, &PatternError{pattern, "is too large"}
	}
	return p, nil
}

// fault is the part of a syntax error that the user can do something with.
func fault(err error) string {
	if e, ok := err.(*syntax.Error); ok {
		return e.Code.String() + ": " + fmt.Sprintf("%.80q", e.Expr)
	}
	return err.Error()
}

// literals is what is known of the text that an expression matches.
type literals struct {
	exact    bool   // it matches text, and nothing else
	fold     bool   // in any case, or parts of it
	strict   bool   // parts of it only as they are
	bound    bool   // only in some places: there is an assertion in it
	text     []byte // if exact
	best     []byte // the longest text known to be in every match
	bestFold bool
}

// required returns what is known of an expression. It recurses as deep as the parser lets expressions
// be nested.
func required(re *syntax.Regexp) literals {
	switch re.Op {
	case syntax.OpLiteral:
		return literalText(re)
	case syntax.OpCapture:
		return required(re.Sub[0])
	case syntax.OpPlus:
		sub := required(re.Sub[0])
		return literals{best: sub.best, bestFold: sub.bestFold}
	case syntax.OpEmptyMatch:
		return literals{exact: true}
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return literals{exact: true, bound: true}
	case syntax.OpConcat:
		return concatenated(re.Sub)
	}
	return literals{}
}

// literalText returns what a literal is known to match. A character beyond ASCII that has cases
// has them in several lengths, so it is no part of a needle.
func literalText(re *syntax.Regexp) literals {
	text := []byte(string(re.Rune))
	fold := re.Flags&syntax.FoldCase != 0
	l := literals{exact: true, fold: fold, strict: !fold && bytes.ContainsFunc(text, unicode.IsLetter), text: text, best: text, bestFold: fold}
	if bytes.IndexByte(text, '\n') >= 0 {
		return literals{}
	}
	if l.fold {
		for _, part := range bytes.FieldsFunc(text, func(r rune) bool { return r >= 0x80 }) {
			if len(part) == len(text) {
				return l
			}
			if l.exact || len(part) > len(l.best) {
				l.exact, l.best = false, part
			}
		}
		if l.exact {
			return literals{}
		}
	}
	return l
}

func concatenated(subs []*syntax.Regexp) literals {
	all := literals{exact: true}
	run := literals{} // of neighbours that are exact
	take := func(text []byte, fold bool) {
		if len(text) > len(all.best) {
			all.best, all.bestFold = text, fold
		}
	}
	for _, sub := range subs {
		l := required(sub)
		if !l.exact {
			take(run.text, run.fold)
			take(l.best, l.bestFold)
			run = literals{}
			all.exact = false
			continue
		}
		run.text = append(run.text[:len(run.text):len(run.text)], l.text...)
		run.fold = run.fold || l.fold
		all.strict = all.strict || l.strict
		all.bound = all.bound || l.bound
	}
	take(run.text, run.fold)
	all.text, all.fold = run.text, run.fold
	return all
}
