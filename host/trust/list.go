package trust

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"go.yaml.in/yaml/v3"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// FileName is the name of the file in the folder of the user's settings.
const FileName = "plugins.yaml"

// Plugin is a plugin that the user trusts.
type Plugin struct {
	// Name is the name for --runtime.
	Name string `yaml:"name"`
	// WASM is the absolute path of the file.
	WASM string `yaml:"wasm"`
	// SHA256 is that of the file that is trusted, in hexadecimal.
	SHA256 string         `yaml:"sha256"`
	Grants wasm.Grants    `yaml:"grants,omitempty"`
	Limits Limits         `yaml:"limits,omitempty"`
	Config map[string]any `yaml:"config,omitempty"`
}

// List are the plugins that the user trusts.
type List struct {
	path    string
	Plugins []Plugin
}

type document struct {
	Plugins []Plugin `yaml:"plugins"`
}

const head = `# The plugins that you trust, and what each may touch. "lightshuttle plugin
# trust FILE" writes here; grants, limits and config may be edited by hand.
`

// Load reads the list in the folder of the user's settings. That there is none
// is fine.
func Load(userDir string) (*List, error) {
	if userDir == "" {
		return &List{}, nil
	}
	l := &List{path: filepath.Join(userDir, FileName)}
	data, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, wrong(l.path, err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var d document
	if err := decoder.Decode(&d); err != nil && !errors.Is(err, io.EOF) {
		return nil, wrong(l.path, err)
	}
	l.Plugins = d.Plugins
	return l, l.check()
}

func wrong(path string, err error) error {
	return &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("%s: %w", path, err), Hint: "correct the file, or move it away and trust the plugins again"}
}

// check refuses two plugins of one name, of which nobody could say which is
// meant.
func (l *List) check() error {
	seen := map[string]string{}
	for _, p := range l.Plugins {
		if other, twice := seen[p.Name]; twice {
			return wrong(l.path, fmt.Errorf("two plugins have the name %q: %s and %s", p.Name, other, p.WASM))
		}
		seen[p.Name] = p.WASM
		if p.Name == "" || !filepath.IsAbs(p.WASM) || len(p.SHA256) != 64 {
			return wrong(l.path, fmt.Errorf("the plugin %q needs a name, the absolute path of its file, and its sha256", cmp.Or(p.Name, p.WASM)))
		}
		if _, err := p.Limits.Parse(); err != nil {
			return wrong(l.path, fmt.Errorf("plugin %s: %w", p.Name, err))
		}
	}
	return nil
}

// Path is the list's file; empty if there is no home for it.
func (l *List) Path() string { return l.path }

// ByName returns the plugin of that name.
func (l *List) ByName(name string) (Plugin, bool) {
	return l.find(func(p Plugin) bool { return p.Name == name })
}

// ByPath returns the plugin whose file has that absolute path.
func (l *List) ByPath(path string) (Plugin, bool) {
	return l.find(func(p Plugin) bool { return p.WASM == path })
}

func (l *List) find(is func(Plugin) bool) (Plugin, bool) {
	i := slices.IndexFunc(l.Plugins, is)
	if i < 0 {
		return Plugin{}, false
	}
	return l.Plugins[i], true
}

// Names are the names of all.
func (l *List) Names() []string {
	names := make([]string, len(l.Plugins))
	for i, p := range l.Plugins {
		names[i] = p.Name
	}
	return names
}

// Put takes a plugin in, in the place of an earlier one with the same file. A
// name that another file has is refused.
func (l *List) Put(plugin Plugin) error {
	if other, taken := l.ByName(plugin.Name); taken && other.WASM != plugin.WASM {
		return &sdk.Error{
			Code: sdk.CodeConflict, Err: fmt.Errorf("there is a plugin %s already: %s", plugin.Name, other.WASM),
			Hint: "give this one another name with --name",
		}
	}
	l.Plugins = slices.DeleteFunc(l.Plugins, func(p Plugin) bool { return p.WASM == plugin.WASM })
	l.Plugins = append(l.Plugins, plugin)
	slices.SortFunc(l.Plugins, func(a, b Plugin) int { return cmp.Compare(a.Name, b.Name) })
	return l.save()
}

// save writes the list, as a whole or not at all, readable by the user alone.
func (l *List) save() error {
	if l.path == "" {
		return sdk.Errorf(sdk.CodeInvalid, "", "there is no home folder for the user's settings")
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString(head)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(document{l.Plugins}); err != nil {
		return err
	}
	return renameio.WriteFile(l.path, out.Bytes(), 0o600)
}
