package wire

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// FetchLimits bound a fetch request; past one of them reading it is a *LimitError.
type FetchLimits struct {
	Wants    int // want and want-ref lines
	Haves    int
	Shallows int // shallow and deepen-not lines
}

// Fetch is what a client asks upload-pack for: one fetch command of version 2, or
// what it says up to the first flush packet in versions 0 and 1.
type Fetch struct {
	Wants    []git.ID
	WantRefs []string // version 2: names, each once
	Haves    []git.ID // version 2; in versions 0 and 1 they come later
	Shallow  []git.ID // commits whose parents the client does not have

	Depth          int   // deepen; 0 if not asked
	DeepenSince    int64 // seconds; 0 if not asked
	DeepenNot      []string
	DeepenRelative bool
	Filter         string // the spec; "" if not asked

	ThinPack, OfsDelta, NoProgress, IncludeTag bool

	// Version 2 only.
	Done, WaitForDone, SidebandAll bool

	// Capabilities of the first want line, in versions 0 and 1 only; the
	// fields above have those of them that version 2 has as arguments.
	Capabilities Capabilities
}

// Deepens reports whether the request moves the client's shallow boundary.
func (q *Fetch) Deepens() bool { return q.Depth > 0 || q.DeepenSince != 0 || len(q.DeepenNot) > 0 }

// ReadFetch reads the arguments of version 2's fetch command.
func ReadFetch(r *Reader, f git.Format, l FetchLimits) (*Fetch, error) {
	q := &Fetch{}
	err := arguments(r, "fetch", func(text []byte) error { return q.argument(f, l, text) })
	if err != nil {
		return nil, err
	}
	return q, q.check()
}

func (q *Fetch) argument(f git.Format, l FetchLimits, text []byte) error {
	switch string(text) {
	case "done":
		q.Done = true
	case "wait-for-done":
		q.WaitForDone = true
	case "sideband-all":
		q.SidebandAll = true
	case "thin-pack", "ofs-delta", "no-progress", "include-tag", "deepen-relative":
		q.feature(string(text))
	default:
		word, arg, _ := bytes.Cut(text, []byte{' '})
		switch string(word) {
		case "want":
			return appendID(&q.Wants, f, arg, "want lines", l.Wants-len(q.WantRefs))
		case "have":
			return appendID(&q.Haves, f, arg, "have lines", l.Haves)
		case "want-ref":
			if len(q.Wants)+len(q.WantRefs) >= l.Wants {
				return &LimitError{What: "want lines", Max: l.Wants}
			}
			q.WantRefs = append(q.WantRefs, string(arg))
			return nil
		}
		known, err := q.shared(f, l, word, arg)
		if err == nil && !known {
			err = protocolErrorf("fetch: unexpected line: %q", clip(text))
		}
		return err
	}
	return nil
}

// feature sets what one of the words stands for that are capabilities in
// version 0 and arguments in version 2.
func (q *Fetch) feature(word string) {
	switch word {
	case "thin-pack":
		q.ThinPack = true
	case "ofs-delta":
		q.OfsDelta = true
	case "no-progress":
		q.NoProgress = true
	case "include-tag":
		q.IncludeTag = true
	case "deepen-relative":
		q.DeepenRelative = true
	}
}

// shared takes the lines that all versions have: shallow, deepen… and filter.
func (q *Fetch) shared(f git.Format, l FetchLimits, word, arg []byte) (known bool, err error) {
	switch string(word) {
	case "shallow":
		return true, appendID(&q.Shallow, f, arg, "shallow lines", l.Shallows)
	case "deepen":
		n, err := strconv.ParseInt(string(arg), 10, 32)
		if err != nil || n <= 0 {
			return true, protocolErrorf("invalid deepen: %q", clip(arg))
		}
		q.Depth = int(n)
	case "deepen-since":
		n, err := strconv.ParseInt(string(arg), 10, 64)
		if err != nil || n <= 0 {
			return true, protocolErrorf("invalid deepen-since: %q", clip(arg))
		}
		q.DeepenSince = n
	case "deepen-not":
		if len(q.DeepenNot) >= l.Shallows {
			return true, &LimitError{What: "deepen-not lines", Max: l.Shallows}
		}
		q.DeepenNot = append(q.DeepenNot, string(arg))
	case "filter":
		if q.Filter != "" {
			return true, protocolErrorf("multiple filter-specs cannot be combined")
		}
		if len(arg) == 0 {
			return true, protocolErrorf("empty filter")
		}
		q.Filter = string(arg)
	default:
		return false, nil
	}
	return true, nil
}

func (q *Fetch) check() error {
	if q.Depth > 0 && (q.DeepenSince != 0 || len(q.DeepenNot) > 0) {
		return protocolErrorf("deepen and deepen-since (or deepen-not) cannot be used together")
	}
	seen := make(map[string]bool, len(q.WantRefs))
	for _, name := range q.WantRefs {
		if seen[name] {
			return protocolErrorf("duplicate want-ref %q", clipped(name))
		}
		seen[name] = true
	}
	return nil
}

// ReadWants reads what a version 0 or 1 client asks for, up to and with the
// flush packet. It returns nil, and no error, where the client wants nothing: at a lone
// flush packet, or where it hangs up.
func ReadWants(r *Reader, f git.Format, l FetchLimits) (*Fetch, error) {
	q, filter := &Fetch{}, false
	for lines := 0; ; lines++ {
		text, kind, err := r.Line()
		switch {
		case err == io.EOF && lines == 0:
			return nil, nil
		case err != nil:
			return nil, unexpectedEnd(err, "the list of wants")
		case kind == Flush && len(q.Wants) == 0:
			return nil, nil
		case kind == Flush:
			return q, q.check()
		case kind != Data:
			return nil, protocolErrorf("unexpected %s packet in the list of wants", kind)
		}
		word, arg, _ := bytes.Cut(text, []byte{' '})
		if string(word) == "filter" && !filter {
			return nil, protocolErrorf("filtering capability not negotiated")
		}
		if string(word) != "want" {
			known, err := q.shared(f, l, word, arg)
			if err == nil && !known {
				err = protocolErrorf("expected to get object ID, not %q", clip(text))
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		id, capabilities, _ := bytes.Cut(arg, []byte{' '})
		if err := appendID(&q.Wants, f, id, "want lines", l.Wants); err != nil {
			return nil, err
		}
		if len(capabilities) > 0 && q.Capabilities == "" {
			q.Capabilities = Capabilities(capabilities)
			for name := range q.Capabilities.All() {
				q.feature(name)
			}
			filter = q.Capabilities.Has("filter")
		}
	}
}

// Negotiation is one line of what a version 0 or 1 client says after its wants.
type Negotiation struct {
	Have git.ID
	Done bool
	End  bool // a flush packet: the client waits for an answer
}

// ReadNegotiation reads one line after the wants. At the end of the stream, between two
// lines, it is io.EOF.
func ReadNegotiation(r *Reader, f git.Format) (Negotiation, error) {
	text, kind, err := r.Line()
	if err != nil {
		return Negotiation{}, err
	}
	if kind != Data {
		return Negotiation{End: true}, nil
	}
	if string(text) == "done" {
		return Negotiation{Done: true}, nil
	}
	arg, ok := bytes.CutPrefix(text, []byte("have "))
	if !ok {
		return Negotiation{}, protocolErrorf("expected a list of haves, got %q", clip(text))
	}
	id, err := parseID(f, arg)
	return Negotiation{Have: id}, err
}

// ObjectInfo are the arguments of the object-info command.
type ObjectInfo struct {
	Size bool
	IDs  []git.ID
}

// ReadObjectInfo reads the arguments of object-info, with at most maxIDs objects.
func ReadObjectInfo(r *Reader, f git.Format, maxIDs int) (*ObjectInfo, error) {
	a := &ObjectInfo{}
	err := arguments(r, "object-info", func(text []byte) error {
		if string(text) == "size" {
			a.Size = true
			return nil
		}
		arg, ok := bytes.CutPrefix(text, []byte("oid "))
		if !ok {
			return protocolErrorf("object-info: unexpected line: %q", clip(text))
		}
		return appendID(&a.IDs, f, arg, "objects asked about", maxIDs)
	})
	return a, err
}

func appendID(ids *[]git.ID, f git.Format, arg []byte, what string, limit int) error {
	if len(*ids) >= limit {
		return &LimitError{What: what, Max: limit}
	}
	id, err := parseID(f, arg)
	if err == nil {
		*ids = append(*ids, id)
	}
	return err
}

func parseID(f git.Format, arg []byte) (git.ID, error) {
	id, err := f.Parse(string(arg))
	if err != nil {
		return git.ID{}, protocolErrorf("%s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return id, nil
}
