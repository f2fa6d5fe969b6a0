package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/code"
	"github.com/ingot-forge/ingot/git"
)

// blob is GitHub's "blob".
type blob struct {
	SHA      string `json:"sha"`
	NodeID   string `json:"node_id"`
	Size     int    `json:"size"`
	URL      string `json:"url"`
	Content  string `json:"content"`
	Encoding string `json:"encoding"`
}

// lines60 is base64 in lines of 60 characters, as GitHub sends it.
func lines60(data []byte) string {
	plain := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	b.Grow(len(plain) + len(plain)/60 + 1)
	for len(plain) > 0 {
		n := min(60, len(plain))
		b.WriteString(plain[:n])
		b.WriteByte('\n')
		plain = plain[n:]
	}
	return b.String()
}

// content decodes what a body brings.
func content(text, encoding, field string) ([]byte, error) {
	switch encoding {
	case "", "utf-8", "utf8", "text":
		return []byte(text), nil
	case "base64":
		data, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "", " ", "").Replace(text))
		if err != nil {
			return nil, forge.Invalidf(field, forge.CodeInvalid, "%s is not valid Base64", field)
		}
		return data, nil
	}
	return nil, forge.Invalidf("encoding", forge.CodeInvalid, "encoding is \"utf-8\" or \"base64\"")
}

func (a *api) createBlob(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			Content  *string `json:"content"`
			Encoding string  `json:"encoding"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		if in.Content == nil {
			return nil, forge.Invalidf("content", forge.CodeMissingField, "content is missing")
		}
		data, err := content(*in.Content, in.Encoding, "content")
		if err != nil {
			return nil, err
		}
		id, err := o.MakeBlob(r.Context(), data)
		if err != nil {
			return nil, err
		}
		body := shortCommit{SHA: o.Hex(id), URL: o.objectURL(git.KindBlob, id)}
		return &result{status: http.StatusCreated, body: body, location: body.URL}, nil
	})
}

func (a *api) getBlob(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		id, err := o.id(r.param("sha"), "sha")
		if err != nil {
			return nil, err
		}
		size, err := o.Size(r.Context(), id, git.KindBlob)
		if err != nil {
			return nil, err
		}
		raw := mediaOf(r.Request) == "raw"
		tag := `"` + o.Hex(id) + map[bool]string{true: "-raw", false: ""}[raw] + `"`
		if res := r.fresh(tag); raw && res != nil {
			return res, nil
		}
		if size > code.MaxContent {
			return nil, code.ErrBlobTooLarge()
		}
		data, err := o.Object(r.Context(), id, git.KindBlob)
		if err != nil {
			return nil, err
		}
		if raw {
			res := asMedia("raw", data)
			res.tag, res.forever = tag, true
			return res, nil
		}
		res := ok(blob{SHA: o.Hex(id), NodeID: o.nodeID("Blob", id), Size: len(data), URL: o.objectURL(git.KindBlob, id),
			Content: lines60(data), Encoding: "base64"})
		res.forever = true
		return res, nil
	})
}

// tree is GitHub's "git-tree".
type tree struct {
	SHA       string     `json:"sha"`
	URL       string     `json:"url"`
	Tree      []treeItem `json:"tree"`
	Truncated bool       `json:"truncated"`
}

type treeItem struct {
	Path string `json:"path"`
	Mode string `json:"mode"`
	Type string `json:"type"`
	Size *int64 `json:"size,omitempty"`
	SHA  string `json:"sha"`
	URL  string `json:"url,omitempty"`
}

func modeText(mode git.Mode) string {
	s := strconv.FormatUint(uint64(mode), 8)
	return strings.Repeat("0", max(6-len(s), 0)) + s
}

func (o *opened) tree(id git.ID, recursive bool) (tree, error) {
	items, truncated, err := o.List(o.r.Context(), id, recursive)
	if err != nil {
		return tree{}, err
	}
	body := tree{SHA: o.Hex(id), URL: o.objectURL(git.KindTree, id), Tree: make([]treeItem, len(items)), Truncated: truncated}
	for i, item := range items {
		line := treeItem{Path: item.Path, Mode: modeText(item.Mode), Type: item.Kind.String(), SHA: o.Hex(item.ID)}
		if item.Kind != git.KindCommit {
			line.URL = o.objectURL(item.Kind, item.ID)
		}
		if item.Kind == git.KindBlob {
			line.Size = &item.Size
		}
		body.Tree[i] = line
	}
	return body, nil
}

func (a *api) getTree(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		name := r.param("*")
		id, err := o.Tree(r.Context(), name)
		if err != nil {
			return nil, err
		}
		_, recursive := r.URL.Query()["recursive"] // whatever its value, as on GitHub
		body, err := o.tree(id, recursive)
		if err != nil {
			return nil, err
		}
		res := ok(body)
		res.forever = o.isID(name)
		return res, nil
	})
}

// treeInput is a line of a tree to be made. SHA tells null, which deletes, from nothing.
type treeInput struct {
	Path    string          `json:"path"`
	Mode    string          `json:"mode"`
	Type    string          `json:"type"`
	SHA     json.RawMessage `json:"sha"`
	Content *string         `json:"content"`
}

// modes are the modes of a line by kind.
var modes = map[string]git.Mode{"100644": git.ModeBlob, "100755": git.ModeExecutable, "040000": git.ModeTree, "40000": git.ModeTree,
	"120000": git.ModeSymlink, "160000": git.ModeSubmodule}

func (o *opened) treeChange(in *treeInput) (code.Change, error) {
	c := code.Change{Path: in.Path}
	if string(in.SHA) == "null" && in.Content == nil {
		c.Delete = true
		return c, nil
	}
	if c.Mode = modes[in.Mode]; c.Mode == 0 {
		return c, forge.Invalidf("tree.mode", forge.CodeInvalid, "tree.mode of %.200q is not one of 100644, 100755, 040000, 160000, 120000", in.Path)
	}
	var sha string
	if len(in.SHA) > 0 && string(in.SHA) != "null" {
		if err := json.Unmarshal(in.SHA, &sha); err != nil {
			return c, forge.Invalidf("tree.sha", forge.CodeInvalid, "tree.sha is not a string")
		}
	}
	switch {
	case sha != "" && in.Content != nil:
		return c, forge.Invalidf("tree.sha", forge.CodeInvalid, "tree.sha and tree.content of %.200q exclude each other", in.Path)
	case sha != "":
		var err error
		c.Object, err = o.id(sha, "tree.sha")
		return c, err
	case in.Content == nil || c.Mode == git.ModeTree || c.Mode == git.ModeSubmodule:
		return c, forge.Invalidf("tree.sha", forge.CodeMissingField, "tree.sha of %.200q is missing", in.Path)
	}
	c.Content = []byte(*in.Content)
	return c, nil
}

func (a *api) createTree(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			BaseTree string      `json:"base_tree"`
			Tree     []treeInput `json:"tree"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		if len(in.Tree) == 0 {
			return nil, forge.Invalidf("tree", forge.CodeMissingField, "tree is missing")
		}
		var base git.ID
		if in.BaseTree != "" {
			if _, err := o.id(in.BaseTree, "base_tree"); err != nil {
				return nil, err
			}
			var err error
			if base, err = o.Tree(r.Context(), in.BaseTree); forge.KindOf(err) == forge.NotFound {
				return nil, forge.Invalidf("base_tree", forge.CodeInvalid, "base_tree is not a valid tree of this repository")
			} else if err != nil {
				return nil, err
			}
		}
		changes := make([]code.Change, len(in.Tree))
		for i := range in.Tree {
			var err error
			if changes[i], err = o.treeChange(&in.Tree[i]); err != nil {
				return nil, err
			}
		}
		id, err := o.MakeTree(r.Context(), base, changes)
		if err != nil {
			return nil, err
		}
		body, err := o.tree(id, false)
		return &result{status: http.StatusCreated, body: body, location: body.URL}, err
	})
}

// link is a commit or tree that another commit names.
type link struct {
	SHA     string `json:"sha"`
	URL     string `json:"url"`
	HTMLURL string `json:"html_url,omitempty"`
}

// verification says what is known of a signature. Nothing is verified here.
type verification struct {
	Verified   bool       `json:"verified"`
	Reason     string     `json:"reason"`
	Signature  *string    `json:"signature"`
	Payload    *string    `json:"payload"`
	VerifiedAt *time.Time `json:"verified_at"`
}

// gitCommit is GitHub's "git-commit".
type gitCommit struct {
	SHA          string       `json:"sha"`
	NodeID       string       `json:"node_id"`
	URL          string       `json:"url"`
	HTMLURL      string       `json:"html_url"`
	Author       gitUser      `json:"author"`
	Committer    gitUser      `json:"committer"`
	Tree         link         `json:"tree"`
	Message      string       `json:"message"`
	Parents      []link       `json:"parents"`
	Verification verification `json:"verification"`
}

func (o *opened) gitCommit(c code.Commit) gitCommit {
	sha := o.Hex(c.ID)
	out := gitCommit{SHA: sha, NodeID: o.nodeID("Commit", c.ID), URL: o.objectURL(git.KindCommit, c.ID), HTMLURL: o.html + "/commit/" + sha,
		Author: signatureOf(&c.Author), Committer: signatureOf(&c.Committer), Message: message(c.Message), Parents: []link{},
		Tree: link{SHA: o.Hex(c.Tree), URL: o.objectURL(git.KindTree, c.Tree)}, Verification: o.verification(c)}
	for _, p := range c.Parents {
		out.Parents = append(out.Parents, link{SHA: o.Hex(p), URL: o.objectURL(git.KindCommit, p), HTMLURL: o.html + "/commit/" + o.Hex(p)})
	}
	return out
}

// message is a message as GitHub shows it: without the line feed at its end.
func message(text string) string { return strings.TrimRight(text, "\n") }

func (o *opened) verification(c code.Commit) verification {
	payload := *c.Commit
	payload.Headers = nil
	var signature string
	for _, h := range c.Headers {
		if h.Key == "gpgsig" || h.Key == "gpgsig-sha256" {
			signature = h.Value
		} else {
			payload.Headers = append(payload.Headers, h)
		}
	}
	if signature == "" {
		return verification{Reason: "unsigned"}
	}
	text := string(git.AppendCommit(o.Format, nil, &payload))
	return verification{Reason: "gpgverify_unavailable", Signature: &signature, Payload: &text}
}

func (a *api) createGitCommit(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			Message   string       `json:"message"`
			Tree      string       `json:"tree"`
			Parents   []string     `json:"parents"`
			Author    *personInput `json:"author"`
			Committer *personInput `json:"committer"`
			Signature string       `json:"signature"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		n := code.NewCommit{Message: in.Message, Signature: in.Signature}
		var err error
		if n.Tree, err = o.id(in.Tree, "tree"); err != nil {
			return nil, err
		}
		for _, text := range in.Parents {
			parent, err := o.id(text, "parents")
			if err != nil {
				return nil, err
			}
			n.Parents = append(n.Parents, parent)
		}
		if n.Author, n.Committer, err = o.authors(in.Author, in.Committer); err != nil {
			return nil, err
		}
		id, err := o.MakeCommit(r.Context(), n)
		if err != nil {
			return nil, err
		}
		c, err := o.Read(r.Context(), id)
		if err != nil {
			return nil, err
		}
		body := o.gitCommit(c)
		return &result{status: http.StatusCreated, body: body, location: body.URL}, nil
	})
}

func (a *api) getGitCommit(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		id, err := o.id(r.param("sha"), "sha")
		if err != nil {
			return nil, err
		}
		if _, err := o.Size(r.Context(), id, git.KindCommit); err != nil {
			return nil, err
		}
		c, err := o.Read(r.Context(), id)
		if err != nil {
			return nil, err
		}
		res := ok(o.gitCommit(c))
		res.forever = true
		return res, nil
	})
}

// gitTag is GitHub's "git-tag".
type gitTag struct {
	NodeID       string       `json:"node_id"`
	SHA          string       `json:"sha"`
	URL          string       `json:"url"`
	Tagger       gitUser      `json:"tagger"`
	Object       gitObject    `json:"object"`
	Tag          string       `json:"tag"`
	Message      string       `json:"message"`
	Verification verification `json:"verification"`
}

func (o *opened) gitTag(id git.ID) (gitTag, error) {
	data, err := o.Object(o.r.Context(), id, git.KindTag)
	if err != nil {
		return gitTag{}, err
	}
	t, err := git.ParseTag(o.Format, data)
	if err != nil {
		return gitTag{}, err
	}
	out := gitTag{NodeID: o.nodeID("Tag", id), SHA: o.Hex(id), URL: o.objectURL(git.KindTag, id), Tag: t.Name, Message: t.Message,
		Object:       gitObject{Type: t.TargetKind.String(), SHA: o.Hex(t.Target), URL: o.objectURL(t.TargetKind, t.Target)},
		Verification: verification{Reason: "unsigned"}}
	if t.Tagger != nil {
		out.Tagger = signatureOf(t.Tagger)
	}
	for _, begin := range []string{"-----BEGIN PGP SIGNATURE-----", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SIGNED MESSAGE-----"} {
		if at := strings.LastIndex(string(data), begin); at > 0 {
			payload, signature := string(data[:at]), string(data[at:])
			out.Verification = verification{Reason: "gpgverify_unavailable", Signature: &signature, Payload: &payload}
		}
	}
	return out, nil
}

func (a *api) createTag(r *request) (*result, error) {
	return a.change(r, func(o *opened) (*result, error) {
		var in struct {
			Tag     string       `json:"tag"`
			Message string       `json:"message"`
			Object  string       `json:"object"`
			Type    string       `json:"type"`
			Tagger  *personInput `json:"tagger"`
		}
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		n := code.NewTag{Name: in.Tag, Message: in.Message}
		var err error
		if n.Target, err = o.id(in.Object, "object"); err != nil {
			return nil, err
		}
		if n.Kind, err = git.ParseKind(in.Type); err != nil {
			return nil, forge.Invalidf("type", forge.CodeInvalid, "type is one of commit, tree, blob, tag")
		}
		if n.Tagger, err = in.Tagger.person("tagger", code.Author(o.Handle, a.host)); err != nil {
			return nil, err
		}
		id, err := o.MakeTag(r.Context(), n)
		if err != nil {
			return nil, err
		}
		body, err := o.gitTag(id)
		return &result{status: http.StatusCreated, body: body, location: body.URL}, err
	})
}

func (a *api) getTag(r *request) (*result, error) {
	return a.read(r, func(o *opened) (*result, error) {
		id, err := o.id(r.param("sha"), "sha")
		if err != nil {
			return nil, err
		}
		body, err := o.gitTag(id)
		if err != nil {
			return nil, err
		}
		res := ok(body)
		res.forever = true
		return res, nil
	})
}
