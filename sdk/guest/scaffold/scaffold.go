// Package scaffold writes the project of a new plugin, which builds and starts
// as it stands.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/c"
)

//go:embed templates
var templates embed.FS

// Languages are those that there are templates for.
var Languages = []string{"go", "c"}

// Options say what to write.
type Options struct {
	// Folder is made; it must not be there yet.
	Folder   string
	Name     string
	Language string
	// Version is that of this program's module, for Go; empty means the newest.
	Version string
	// Replace is a checkout of this program to build with, for Go; may be empty.
	Replace string
}

var name = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Write writes the project and returns the names of its files.
func Write(options Options) ([]string, error) {
	if !name.MatchString(options.Name) {
		return nil, &sdk.Error{
			Code: sdk.CodeInvalid, Op: "new", Err: fmt.Errorf("%q can't name a plugin", options.Name),
			Hint: "begin with a lower-case letter; go on with lower-case letters, digits and hyphens",
		}
	}
	from, err := fs.Sub(templates, "templates/"+options.Language)
	if err == nil {
		_, err = fs.Stat(from, ".")
	}
	if err != nil {
		return nil, &sdk.Error{
			Code: sdk.CodeInvalid, Op: "new", Err: fmt.Errorf("there is no template in the language %q", options.Language),
			Hint: "choose one of " + strings.Join(Languages, ", "),
		}
	}
	if options.Version == "" {
		options.Version = "v0.0.0"
	}
	if err := os.Mkdir(options.Folder, 0o755); err != nil {
		return nil, unmade(options.Folder, err)
	}
	return write(from, options)
}

func unmade(folder string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &sdk.Error{Code: sdk.CodeConflict, Op: "new", Err: fmt.Errorf("%s is there already", folder), Hint: "choose another name, or remove it first"}
	}
	return &sdk.Error{Code: sdk.CodeInvalid, Op: "new", Err: err}
}

func write(from fs.FS, options Options) ([]string, error) {
	files := map[string][]byte{}
	if options.Language == "c" {
		files["lightshuttle.h"] = c.Header
	}
	all, err := template.ParseFS(from, "*.tmpl")
	if err != nil {
		return nil, err
	}
	for _, one := range all.Templates() {
		var content bytes.Buffer
		if err := one.Execute(&content, options); err != nil {
			return nil, err
		}
		files[strings.TrimSuffix(one.Name(), ".tmpl")] = content.Bytes()
	}
	var names []string
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(options.Folder, file), content, 0o644); err != nil {
			return nil, err
		}
		names = append(names, file)
	}
	return names, nil
}
