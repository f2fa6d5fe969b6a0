package wire

import "io"

// Report is what receive-pack answers a push with.
type Report struct {
	Unpack string // "" for ok, or why the pack was not taken
	Refs   []RefStatus
}

// RefStatus is what became of one command.
type RefStatus struct {
	Name  string
	Error string // "" for ok
}

// WriteReport writes a report, in the form of report-status. It is that of
// report-status-v2 too, which adds to it only where something else was done than
// what was asked for. Line breaks in names and reasons are made blank.
func WriteReport(w io.Writer, rep *Report) error {
	p := NewWriter(w)
	if rep.Unpack == "" {
		p.Line("unpack ok")
	} else {
		p.Line("unpack " + oneLine(rep.Unpack))
	}
	for _, s := range rep.Refs {
		if s.Error != "" {
			p.Line("ng " + oneLine(s.Name) + " " + oneLine(s.Error))
		} else {
			p.Line("ok " + oneLine(s.Name))
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
