package wire

import (
	"io"

	"github.com/ingot-forge/ingot/git"
)

// Report is what receive-pack answers a push with.
type Report struct {
	Unpack string // "" for ok, or why the pack was not taken
	Refs   []RefStatus
}

// RefStatus is what became of one command.
type RefStatus struct {
	Name  string
	Error string // "" for ok
	// Moved, if not nil, tells by report-status-v2 that something else was done
	// than what was asked for.
	Moved *RefMove
}

// RefMove is what was done in place of a command.
type RefMove struct {
	Name     string // "" if it is the command's
	Old, New git.ID
	Forced   bool
}

// WriteReport writes a report, in the form of report-status-v2 or of report-status.
// Line breaks in names and reasons are made blank.
func WriteReport(w io.Writer, f git.Format, rep *Report, v2 bool) error {
	p := NewWriter(w)
	if rep.Unpack == "" {
		p.Line("unpack ok")
	} else {
		p.Line("unpack " + oneLine(rep.Unpack))
	}
	for _, s := range rep.Refs {
		if s.Error != "" {
			p.Line("ng " + oneLine(s.Name) + " " + oneLine(s.Error))
			continue
		}
		p.Line("ok " + oneLine(s.Name))
		if !v2 || s.Moved == nil {
			continue
		}
		if s.Moved.Name != "" {
			p.Line("option refname " + oneLine(s.Moved.Name))
		}
		p.Line("option old-oid " + f.Hex(s.Moved.Old))
		p.Line("option new-oid " + f.Hex(s.Moved.New))
		if s.Moved.Forced {
			p.Line("option forced-update")
		}
	}
	p.Flush()
	return p.Send()
}

// oneLine keeps text from outside on one line and short enough for a packet
// beside another such text.
func oneLine(s string) string {
	if len(s) > MaxData/4 {
		s = s[:MaxData/4]
	}
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return string(b)
}
