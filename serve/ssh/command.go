package ssh

import (
	"fmt"
	"strings"
	"unicode"
)

// command is what an exec request asks for.
type command struct {
	service     string // "upload-pack", "receive-pack" or "upload-archive"
	owner, repo string // as given: repo may end in ".git"
}

// maxCommand bounds an exec request, in bytes.
const maxCommand = 1024

// parseCommand reads the one form that git sends, git-SERVICE 'PATH' or
// git SERVICE 'PATH'; some clients leave the quotes out. No shell ever sees it,
// so whatever is not that form is refused instead of being interpreted.
func parseCommand(line string) (command, error) {
	if len(line) > maxCommand {
		return command{}, fmt.Errorf("command is longer than %d bytes", maxCommand)
	}
	name, path, ok := strings.Cut(line, " ")
	if ok && name == "git" {
		var verb string
		verb, path, ok = strings.Cut(path, " ")
		name = "git-" + verb
	}
	if !ok {
		return command{}, fmt.Errorf("%q is not a git command served here", name)
	}
	var c command
	switch name {
	case "git-upload-pack", "git-receive-pack", "git-upload-archive":
		c.service = strings.TrimPrefix(name, "git-")
	default:
		return command{}, fmt.Errorf("%q is not a git command served here", name)
	}
	path, err := unquote(path)
	if err != nil {
		return command{}, err
	}
	// "/owner/repo.git" as in ssh://…, "owner/repo.git" as in git@host:…
	path = strings.TrimPrefix(path, "/")
	c.owner, c.repo, ok = strings.Cut(path, "/")
	c.repo = strings.TrimSuffix(c.repo, "/")
	if !ok || c.owner == "" || c.repo == "" || strings.Contains(c.repo, "/") {
		return command{}, fmt.Errorf("%q names no repository; the form is owner/name.git", path)
	}
	return c, nil
}

// unquote undoes the quoting of git's sq_quote: one pair of single quotes. What
// it writes for a quote inside is refused: no name of ours has one.
func unquote(s string) (string, error) {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	if strings.ContainsAny(s, "'\"\\ ;&|<>$`*?()[]{}~#!") || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("%q is not a repository's path", s)
	}
	return s, nil
}
