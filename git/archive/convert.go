package archive

import (
	"bytes"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/attributes"
)

// conversion is what attributes do to a file on its way out, as to one that is checked out without configuration.
type conversion struct {
	crlf  bool // line feeds become the ends of lines of Windows
	guess bool // but only if it looks like text with line feeds alone
	ident bool // "$Id$" gets the blob's id
	subst bool // "$Format:…$" is expanded
}

func (c conversion) any() bool { return c.crlf || c.ident || c.subst }

func conversionOf(v attributes.Values) conversion {
	c := conversion{ident: v["ident"].State == attributes.Set, subst: v["export-subst"].State == attributes.Set}
	text := v["text"]
	if text.State == attributes.Unspecified || text.State == attributes.Valued && text.Text != "auto" && text.Text != "input" {
		if text = v["crlf"]; text.State == attributes.Valued && text.Text != "auto" && text.Text != "input" {
			text = attributes.Value{} // the older name of text
		}
	}
	if eol := v["eol"]; text.State != attributes.Unset && eol == (attributes.Value{State: attributes.Valued, Text: "crlf"}) {
		c.crlf, c.guess = true, text.Text == "auto"
	}
	return c
}

// apply returns a file as it leaves. data is not changed.
func (c conversion) apply(f git.Format, id git.ID, data []byte, expand func([]byte) ([]byte, error)) ([]byte, error) {
	if c.ident {
		data = setIdent(f, id, data)
	}
	if c.crlf && (!c.guess || plainText(data)) {
		data = toCRLF(data)
	}
	if c.subst && expand != nil {
		return expand(data)
	}
	return data, nil
}

// toCRLF puts a carriage return in front of each line feed that has none.
func toCRLF(data []byte) []byte {
	n := bytes.Count(data, []byte{'\n'}) - bytes.Count(data, []byte("\r\n"))
	if n == 0 {
		return data
	}
	out := make([]byte, 0, len(data)+n)
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			return append(out, data...)
		}
		out = append(out, data[:i]...)
		if i == 0 && (len(out) == 0 || out[len(out)-1] != '\r') || i > 0 && data[i-1] != '\r' {
			out = append(out, '\r')
		}
		out = append(out, '\n')
		data = data[i+1:]
	}
}

// plainText reports whether git takes a file for text whose ends of lines it may change unasked.
func plainText(data []byte) bool {
	printable, other := 0, 0
	for _, c := range data {
		switch {
		case c == '\r', c == 0:
			return false
		case c == '\n':
		case c < ' ' && c != '\b' && c != '\t' && c != '\033' && c != '\014', c == 0x7f:
			other++
		default:
			printable++
		}
	}
	if len(data) > 0 && data[len(data)-1] == 0x1a {
		other-- // the end of file of MS-DOS
	}
	return printable>>7 >= other
}

// setIdent writes the id of the blob into "$Id$" and into what was made of it before.
func setIdent(f git.Format, id git.ID, data []byte) []byte {
	var out []byte
	for rest := data; ; {
		i := bytes.IndexByte(rest, '$')
		if i < 0 {
			return append(out, rest...)
		}
		out, rest = append(out, rest[:i+1]...), rest[i+1:]
		n := identLen(rest)
		if n < 0 {
			return append(out, rest...)
		}
		if n > 0 {
			out = append(f.AppendHex(append(out, "Id: "...), id), " $"...)
			rest = rest[n:]
		}
	}
}

// identLen returns how long the keyword is that follows a dollar: 0 if there is none, -1 if none
// can follow any more.
func identLen(rest []byte) int {
	switch {
	case !bytes.HasPrefix(rest, []byte("Id")) || len(rest) < 3:
		return 0
	case rest[2] == '$':
		return 3
	case rest[2] != ':':
		return 0
	}
	end := bytes.IndexByte(rest[3:], '$')
	if end < 0 {
		return -1
	}
	inside := rest[3 : 3+end]
	if bytes.IndexByte(inside, '\n') >= 0 {
		return 0
	}
	// A space elsewhere than at both ends: another system's keyword.
	if len(inside) > 1 {
		if space := bytes.IndexByte(inside[1:], ' '); space >= 0 && space+1 < len(inside)-1 {
			return 0
		}
	}
	return 3 + end + 1
}
