package trust

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// IsFile says whether the name of a runtime means a file.
func IsFile(name string) bool {
	return strings.HasSuffix(name, ".wasm") || strings.ContainsRune(name, filepath.Separator)
}

// OpenFile opens the plugin in a file, if exactly that file is trusted.
func (l *List) OpenFile(ctx context.Context, file string, options wasm.Options) (wasm.Runtime, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	data, report, err := read(path, file)
	if err != nil {
		return nil, err
	}
	plugin, known := l.ByPath(path)
	if !known {
		return nil, refused(report.Manifest.Name, file, "%s isn't trusted%s", file, asks(Requests(report)))
	}
	return l.open(ctx, plugin, file, data, report.SHA256, options)
}

// Open opens the plugin of that name, if its file is still what was trusted.
func (l *List) Open(ctx context.Context, name string, options wasm.Options) (wasm.Runtime, error) {
	plugin, known := l.ByName(name)
	if !known {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "there is no plugin %s", name)
	}
	data, report, err := read(plugin.WASM, plugin.WASM)
	if err != nil {
		return nil, err
	}
	return l.open(ctx, plugin, plugin.WASM, data, report.SHA256, options)
}

func (l *List) open(ctx context.Context, plugin Plugin, file string, data []byte, sum string, options wasm.Options) (wasm.Runtime, error) {
	if sum != plugin.SHA256 {
		return nil, refused(plugin.Name, file, "%s has changed since it was trusted (sha256 %.12s…, trusted is %.12s…)", file, sum, plugin.SHA256)
	}
	limits, err := plugin.Limits.Parse()
	if err != nil {
		return nil, wrong(l.path, err)
	}
	options.Name, options.Grants, options.Limits = plugin.Name, plugin.Grants, limits
	if len(plugin.Config) > 0 {
		if options.Config, err = json.Marshal(plugin.Config); err != nil {
			return nil, wrong(l.path, fmt.Errorf("the config of plugin %s: %w", plugin.Name, err))
		}
	}
	return wasm.Open(ctx, data, options)
}

// refused is the failure of a plugin that isn't trusted.
func refused(name, file, format string, args ...any) error {
	return &wasm.Failure{Kind: wasm.Refused, Plugin: name, Err: &sdk.Error{
		Code: sdk.CodeDenied, Err: fmt.Errorf(format, args...),
		Hint: "if you trust who made it, run `lightshuttle plugin trust " + file + "`",
	}}
}

func asks(requests []string) string {
	if len(requests) == 0 {
		return "; it asks for nothing, but sees the secrets of the stack"
	}
	return "; it asks for " + strings.Join(requests, "; ")
}
