package wire

import (
	"bytes"
	"io"

	"github.com/ingot-forge/ingot/git"
)

// PushLimits bound a push request; past one of them reading it is a *LimitError.
type PushLimits struct {
	Commands    int
	Shallows    int
	Options     int
	OptionBytes int // of all options together
	CertBytes   int // of a push certificate
}

// Command asks for one ref to be moved: created when Old is zero, deleted when New is.
type Command struct {
	Old, New git.ID
	Name     string // as sent: not checked
}

// Push is what a client asks receive-pack for, up to the pack.
type Push struct {
	Commands     []Command
	Capabilities Capabilities
	Shallow      []git.ID // of a client that is shallow itself
	Certificate  []byte   // of a signed push, as sent; its commands are in Commands
	Options      []string
}

// Pack reports whether a pack follows: it does unless all commands delete.
func (p *Push) Pack() bool {
	for _, c := range p.Commands {
		if !c.New.IsZero() {
			return true
		}
	}
	return false
}

// ReadPush reads a push up to where the pack starts. It returns nil, and no
// error, where the client has nothing to push: at a lone flush packet, which
// clients also send to probe a server, or at the end of the stream.
// With an error it returns what it could read, so that the answer can be sent as
// the client expects it.
func ReadPush(r *Reader, f git.Format, l PushLimits) (*Push, error) {
	p := &Push{}
	for first := true; ; first = false {
		kind, data, err := r.Peek()
		if err == io.EOF && first {
			return nil, nil
		}
		if err != nil {
			return p, unexpectedEnd(err, "the list of commands")
		}
		if kind == Flush {
			r.Next()
			break
		}
		if kind != Data {
			return p, protocolErrorf("unexpected %s packet in the list of commands", kind)
		}
		text, capabilities, found := bytes.Cut(line(data), []byte{0})
		if found && p.Capabilities == "" {
			p.Capabilities = Capabilities(capabilities)
		}
		err = p.line(r, f, l, text)
		if err == errCertificateEnds {
			break
		}
		if err != nil {
			return p, err
		}
	}
	if len(p.Commands) == 0 && len(p.Shallow) == 0 && p.Certificate == nil {
		return nil, nil
	}
	if p.Certificate != nil {
		if err := p.signedCommands(f, l); err != nil {
			return p, err
		}
	}
	if p.Capabilities.Has("push-options") {
		if err := p.options(r, l); err != nil {
			return p, err
		}
	}
	return p, nil
}

// errCertificateEnds says that the certificate's packets ended with the flush
// that ends the commands as well.
var errCertificateEnds = protocolErrorf("end of certificate")

// line takes one line, which is still at the front of r.
func (p *Push) line(r *Reader, f git.Format, l PushLimits, text []byte) error {
	if string(text) == "push-cert" {
		r.Next()
		return p.certificate(r, l)
	}
	if arg, ok := bytes.CutPrefix(text, []byte("shallow ")); ok {
		if err := appendID(&p.Shallow, f, arg, "shallow lines", l.Shallows); err != nil {
			return err
		}
	} else if err := p.command(f, l, text); err != nil {
		return err
	}
	r.Next()
	return nil
}

func (p *Push) command(f git.Format, l PushLimits, text []byte) error {
	n := f.HexSize()
	if len(text) < 2*n+3 || text[n] != ' ' || text[2*n+1] != ' ' {
		return protocolErrorf("expected old/new/ref, got %q", clip(text))
	}
	if len(p.Commands) >= l.Commands {
		return &LimitError{What: "ref updates in one push", Max: l.Commands}
	}
	before, err := parseID(f, text[:n])
	if err != nil {
		return err
	}
	after, err := parseID(f, text[n+1:2*n+1])
	if err != nil {
		return err
	}
	p.Commands = append(p.Commands, Command{Old: before, New: after, Name: string(text[2*n+2:])})
	return nil
}

// certificate reads the packets of a push certificate, one line each.
func (p *Push) certificate(r *Reader, l PushLimits) error {
	if p.Certificate != nil {
		return protocolErrorf("more than one push certificate")
	}
	if len(p.Commands) > 0 {
		return protocolErrorf("got both push certificate and unsigned commands")
	}
	p.Certificate = []byte{}
	for {
		kind, data, err := r.Next()
		switch {
		case err != nil:
			return unexpectedEnd(err, "a push certificate")
		case kind == Flush:
			return errCertificateEnds
		case kind != Data:
			return protocolErrorf("unexpected %s packet in a push certificate", kind)
		case string(data) == "push-cert-end\n" || string(data) == "push-cert-end":
			return nil
		case len(p.Certificate)+len(data) > l.CertBytes:
			return &LimitError{What: "bytes of push certificate", Max: l.CertBytes}
		}
		p.Certificate = append(p.Certificate, data...)
	}
}

var signatureMarks = [][]byte{
	[]byte("-----BEGIN PGP SIGNATURE-----"),
	[]byte("-----BEGIN PGP MESSAGE-----"),
	[]byte("-----BEGIN SIGNED MESSAGE-----"),
	[]byte("-----BEGIN SSH SIGNATURE-----"),
}

// signedCommands takes the commands out of the certificate: the lines between
// its header and its signature.
func (p *Push) signedCommands(f git.Format, l PushLimits) error {
	if len(p.Commands) > 0 {
		return protocolErrorf("got both push certificate and unsigned commands")
	}
	_, body, ok := bytes.Cut(p.Certificate, []byte("\n\n"))
	if !ok {
		return protocolErrorf("malformed push certificate %q", clip(p.Certificate))
	}
	for len(body) > 0 {
		var text []byte
		text, body, _ = bytes.Cut(body, []byte{'\n'})
		for _, mark := range signatureMarks {
			if bytes.HasPrefix(text, mark) {
				return nil
			}
		}
		if err := p.command(f, l, text); err != nil {
			return err
		}
	}
	return nil
}

// CertificateHeader returns the first header line of that name ("nonce",
// "pusher", …) of the push certificate.
func (p *Push) CertificateHeader(name string) (value string, ok bool) {
	header, _, _ := bytes.Cut(p.Certificate, []byte("\n\n"))
	for text := range bytes.SplitSeq(header, []byte{'\n'}) {
		if word, value, _ := bytes.Cut(text, []byte{' '}); string(word) == name {
			return string(value), true
		}
	}
	return "", false
}

// CertificateOptions returns the push options that the certificate vouches for.
func (p *Push) CertificateOptions() []string {
	var options []string
	header, _, _ := bytes.Cut(p.Certificate, []byte("\n\n"))
	for text := range bytes.SplitSeq(header, []byte{'\n'}) {
		if value, ok := bytes.CutPrefix(text, []byte("push-option ")); ok {
			options = append(options, string(value))
		}
	}
	return options
}

func (p *Push) options(r *Reader, l PushLimits) error {
	size := 0
	return arguments(r, "push options", func(text []byte) error {
		if len(p.Options) >= l.Options {
			return &LimitError{What: "push options", Max: l.Options}
		}
		if size += len(text); size > l.OptionBytes {
			return &LimitError{What: "bytes of push options", Max: l.OptionBytes}
		}
		p.Options = append(p.Options, string(text))
		return nil
	})
}
