package transfer

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/archive"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/wire"
)

// maxArchiveArguments is git's own bound.
const maxArchiveArguments = 64

// Archive serves one git-upload-archive conversation (git archive --remote):
// formats tar, tar.gz, zip; --prefix; a tree-ish and paths. The tree-ish is a
// visible ref, or a path in one ("v1.0:docs"): object ids are refused, as git's
// default is.
func (s *Server) Archive(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer) error {
	return s.ArchiveVisible(ctx, snap, r, w, nil)
}

// ArchiveVisible is Archive with refs hidden, as UploadOptions.HideRefs has it.
func (s *Server) ArchiveVisible(ctx context.Context, snap *repo.Snapshot, r io.Reader, w io.Writer, hide func(name string) bool) error {
	out := wire.NewWriter(w)
	from := &client{r: r}
	args, err := readArguments(wire.NewReader(from))
	if from.gone(err) {
		return err
	}
	if err != nil {
		out.Line("NACK " + explain(err))
		if sendErr := out.Send(); sendErr != nil {
			return errors.Join(err, sendErr)
		}
		return told(err)
	}
	out.Line("ACK")
	out.Flush()
	if err := out.Send(); err != nil {
		return err
	}
	band := wire.NewSideband(w, true)
	stop := band.KeepAlive(keepAlive)
	defer stop()
	err = s.archive(ctx, snap, view{snap.State(), hide}, args, band)
	stop()
	if err != nil {
		band.Error("git archive: " + explain(err))
		return errors.Join(told(err), band.Close())
	}
	return band.Close()
}

// readArguments reads the command line that the client passes on.
func readArguments(in *wire.Reader) ([]string, error) {
	var args []string
	for {
		text, kind, err := in.Line()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err != nil:
			return nil, err
		case kind == wire.Flush:
			return args, nil
		case kind != wire.Data:
			return nil, refusef("'argument' token or flush expected")
		}
		arg, ok := strings.CutPrefix(string(text), "argument ")
		if !ok {
			return nil, refusef("'argument' token or flush expected")
		}
		if len(args) == maxArchiveArguments {
			return nil, refusef("too many options (>%d)", maxArchiveArguments)
		}
		args = append(args, arg)
	}
}

// archiveRequest is a parsed command line.
type archiveRequest struct {
	format, prefix, treeish string
	paths                   []string
	level                   int
	list, verbose           bool
}

func parseArchive(args []string) (*archiveRequest, error) {
	q := &archiveRequest{format: "tar", level: archive.DefaultLevel}
	var operands []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			operands = append(operands, args...)
			break
		}
		name, value, hasValue := strings.Cut(arg, "=")
		switch {
		case !strings.HasPrefix(arg, "-") || arg == "-":
			operands = append(operands, arg)
		case name == "--format" || name == "--prefix":
			if !hasValue {
				if len(args) == 0 {
					return nil, refusef("option %q requires a value", name)
				}
				value, args = args[0], args[1:]
			}
			if name == "--format" {
				q.format = value
			} else {
				q.prefix = value
			}
		case arg == "-l" || arg == "--list":
			q.list = true
		case arg == "-v" || arg == "--verbose":
			q.verbose = true
		case arg == "--worktree-attributes" || arg == "--no-worktree-attributes":
			// There is no worktree.
		default:
			level, err := strconv.Atoi(arg[1:])
			if err != nil || level < 0 || level > 9 {
				return nil, refusef("unknown option %.80q", arg)
			}
			q.level = level
		}
	}
	if q.list {
		return q, nil
	}
	if len(operands) == 0 {
		return nil, refusef("a tree-ish is needed")
	}
	if len(q.prefix) > maxPath {
		return nil, refusef("prefix is longer than %d bytes", maxPath)
	}
	q.treeish, q.paths = operands[0], operands[1:]
	return q, nil
}

func (s *Server) archive(ctx context.Context, snap *repo.Snapshot, v view, args []string, band *wire.Sideband) error {
	q, err := parseArchive(args)
	if err != nil {
		return err
	}
	if q.list {
		_, err := io.WriteString(band, strings.Join(archive.Names, "\n")+"\n")
		return err
	}
	f := v.state.Format
	o := archive.Options{
		Objects: f, Prefix: q.prefix, Paths: q.paths, Level: q.level, Time: time.Now(),
		MaxEntries: orDefault(s.Limits.ArchiveEntries, DefaultLimits.ArchiveEntries),
		MaxBytes:   orDefault(s.Limits.ArchiveBytes, DefaultLimits.ArchiveBytes),
	}
	if o.Format, err = archive.ParseFormat(q.format); err != nil {
		return refusef("%s", err.Error())
	}
	if q.verbose {
		o.Visit = func(path string) { band.Progress(path + "\n") }
	}
	name, path, hasPath := strings.Cut(q.treeish, ":")
	refs := v.expand(name)
	if len(refs) == 0 {
		return refusef("no such ref: %.200s", name)
	}
	var tree git.ID
	if hasPath {
		mode, id, err := walk(ctx, snap, f, refs[0].Target, path)
		if err != nil {
			return err
		}
		if mode != git.ModeTree {
			return refusef("not a tree object: %.200s", q.treeish)
		}
		tree = id
	} else {
		p, err := peel(ctx, snap, f, refs[0].Target)
		if err != nil {
			return err
		}
		tree = p.tree
		if p.commit != nil {
			o.Commit, o.Time = p.id, time.Unix(p.commit.Committer.Seconds, 0)
		}
	}
	err = archive.Write(ctx, snap, tree, band, o)
	var large *archive.TooLargeError
	var wrong *archive.PathError
	if errors.As(err, &large) || errors.As(err, &wrong) {
		return refusef("%s", err.Error())
	}
	return err
}
