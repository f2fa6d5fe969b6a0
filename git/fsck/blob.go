package fsck

import (
	"bytes"
	"fmt"
	"strings"
)

// blob judges a blob as what trees take it for.
func (c *Checker) blob(f *findings, as role, data []byte) {
	if as&modules != 0 {
		f.modules(data)
	}
	if as&attributes != 0 {
		f.attributes(data)
	}
	c.mu.Lock()
	c.special[f.object] |= as.done()
	c.mu.Unlock()
}

// attributes refuses what makes readers of .gitattributes allocate too much or
// count wrongly. To git the file ends at a NUL.
func (f *findings) attributes(data []byte) {
	if len(data) > MaxAttributesSize {
		f.add(gitattributesLarge, "")
		return
	}
	data, _, _ = bytes.Cut(data, []byte{0})
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, newline)
		if len(line) > MaxAttributeLine {
			f.add(gitattributesLineLength, fmt.Sprintf("line %d has more than %d bytes", n, MaxAttributeLine))
			return
		}
		data = rest
	}
}

// modules judges the settings of a .gitmodules.
func (f *findings) modules(data []byte) {
	if len(data) > MaxModulesSize {
		f.add(gitmodulesLarge, "")
		return
	}
	var last *section
	err := parseConfig(data, func(s *section, key, value string) {
		name, ok := strings.CutPrefix(s.name, "submodule.")
		if !ok {
			return
		}
		if s != last { // a name without settings means nothing
			last = s
			f.submoduleName(name)
		}
		f.submodule(key, value)
	})
	if err != nil {
		f.add(gitmodulesParse, err.Error())
	}
}

func (f *findings) submoduleName(name string) {
	if why := checkSubmoduleName(name); why != "" {
		f.add(gitmodulesName, fmt.Sprintf("disallowed submodule name %s: %s", quote(name), why))
	}
}

func (f *findings) submodule(key, value string) {
	switch key {
	case "url":
		if why := checkSubmoduleURL(value); why != "" {
			f.add(gitmodulesURL, fmt.Sprintf("disallowed submodule url %s: %s", quote(value), why))
		}
	case "path":
		if why := checkSubmodulePath(value); why != "" {
			f.add(gitmodulesPath, fmt.Sprintf("disallowed submodule path %s: %s", quote(value), why))
		}
	case "update":
		if strings.HasPrefix(value, "!") {
			f.add(gitmodulesUpdate, fmt.Sprintf("disallowed submodule update setting %s: runs a command", quote(value)))
		}
	}
}

// quote makes a hostile string fit for a message.
func quote(s string) string {
	if len(s) > 100 {
		return fmt.Sprintf("%q…", s[:100])
	}
	return fmt.Sprintf("%q", s)
}

// checkSubmoduleName says why name is refused. It becomes a directory in
// .git/modules, so ".." in it leaves that (CVE-2018-11235). Control characters
// are refused by us alone.
func checkSubmoduleName(name string) string {
	if name == "" {
		return "empty"
	}
	if hasControl(name) {
		return "control character"
	}
	for part := range strings.FieldsFuncSeq(name, isSeparator) {
		if part == ".." {
			return `".." in it`
		}
	}
	return ""
}

// checkSubmodulePath says why path is refused. Git's fsck refuses an option
// only. The rest is ours: a carriage return at the end is dropped by some
// readers of the setting (CVE-2025-48384), and clients other than git have
// followed paths out of the work tree or into .git.
func checkSubmodulePath(path string) string {
	if strings.HasPrefix(path, "-") {
		return "looks like an option"
	}
	if hasControl(path) {
		return "control character"
	}
	if path != "" && isSeparator(rune(path[0])) {
		return "absolute"
	}
	for part := range strings.FieldsFuncSeq(path, isSeparator) {
		if part == ".." {
			return `".." in it`
		}
		if name := []byte(part); hfsDotGit(name) || ntfsDotGit(name) {
			return `".git" in it`
		}
	}
	return ""
}

func isSeparator(r rune) bool { return r == '/' || r == '\\' }

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
