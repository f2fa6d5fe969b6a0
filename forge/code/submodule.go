package code

import (
	"context"
	"strings"

	"github.com/ingot-forge/ingot/git"
)

// maxModules bounds the .gitmodules that is read.
const maxModules = 1 << 20

// Submodule returns the address that .gitmodules has for a submodule; "" if it has none.
func (v *View) Submodule(ctx context.Context, tree git.ID, path string) (string, error) {
	file, err := v.Find(ctx, tree, ".gitmodules")
	if isNotFound(err) || err == nil && (file.Kind != git.KindBlob || file.Mode == git.ModeSymlink || file.Size > maxModules) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := v.Content(ctx, file)
	if err != nil {
		return "", err
	}
	return moduleURL(string(data), path), nil
}

// moduleURL reads git's configuration format as far as .gitmodules use it.
func moduleURL(config, path string) string {
	var at, address string
	for line := range strings.Lines(config + "\n[") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			if at == path && address != "" {
				return address
			}
			at, address = "", ""
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			value = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value[1 : len(value)-1])
		}
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "path":
			at = value
		case "url":
			address = value
		}
	}
	return ""
}
