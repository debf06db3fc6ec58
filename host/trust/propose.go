package trust

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Choices are what the user says about the aliases; what they leave out is
// proposed from the manifest's suggestions.
type Choices struct {
	// Name is the name of the plugin; that of its manifest by default.
	Name string
	// Endpoints are addresses, and Programs names or paths, by alias.
	Endpoints, Programs map[string]string
}

// Ask reads a plugin's file and returns what is known of it, its absolute path,
// and the entry that trusting it would write. Nothing is run or changed.
func Ask(file string, choices Choices) (Plugin, *module.Report, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return Plugin{}, nil, err
	}
	_, report, err := read(path, file)
	if err != nil {
		return Plugin{}, nil, err
	}
	plugin := Plugin{Name: choices.Name, WASM: path, SHA256: report.SHA256}
	if plugin.Name == "" {
		plugin.Name = report.Manifest.Name
	}
	requests := report.Manifest.Requests
	if err := asked(choices, requests, plugin.Name); err != nil {
		return Plugin{}, nil, err
	}
	for _, request := range requests.HTTP {
		address := choices.Endpoints[request.Endpoint]
		if address == "" {
			address = suggestedAddress(request.Suggest)
		}
		if address == "" {
			return Plugin{}, nil, missing("endpoint", request.Endpoint, "unix:///PATH", plugin.Name)
		}
		plugin.Grants.HTTP = append(plugin.Grants.HTTP, wasm.HTTPGrant{Endpoint: request.Endpoint, Address: address})
	}
	for _, request := range requests.Exec {
		program, err := findProgram(request, choices.Programs[request.Program], plugin.Name)
		if err != nil {
			return Plugin{}, nil, err
		}
		plugin.Grants.Exec = append(plugin.Grants.Exec, wasm.ExecGrant{Program: request.Program, Path: program, Env: request.Env})
	}
	if requests.KV != nil {
		plugin.Grants.KV = requests.KV.Bytes
	}
	if err := plugin.Grants.Check(requests); err != nil {
		return Plugin{}, nil, err
	}
	return plugin, report, nil
}

// asked refuses a choice for an alias that the plugin doesn't ask for.
func asked(choices Choices, requests abi.Requests, name string) error {
	known := map[string]bool{}
	for _, r := range requests.HTTP {
		known["endpoint "+r.Endpoint] = true
	}
	for _, r := range requests.Exec {
		known["program "+r.Program] = true
	}
	for alias := range choices.Endpoints {
		if !known["endpoint "+alias] {
			return sdk.Errorf(sdk.CodeInvalid, "", "plugin %s doesn't ask for an endpoint %s", name, alias)
		}
	}
	for alias := range choices.Programs {
		if !known["program "+alias] {
			return sdk.Errorf(sdk.CodeInvalid, "", "plugin %s doesn't ask for a program %s", name, alias)
		}
	}
	return nil
}

func missing(what, alias, example, name string) error {
	return &sdk.Error{
		Code: sdk.CodeInvalid, Err: fmt.Errorf("plugin %s asks for the %s %s, and none of those that it suggests is here", name, what, alias),
		Hint: fmt.Sprintf("say which one it may have: --%s %s=%s", what, alias, example),
	}
}

// suggestedAddress is the first of the suggestions that is there.
func suggestedAddress(suggestions []string) string {
	for _, suggestion := range suggestions {
		address := os.Expand(suggestion, allowedVariable)
		parsed, err := url.Parse(address)
		if err != nil {
			continue
		}
		if parsed.Scheme != "unix" {
			return address
		}
		if info, err := os.Stat(parsed.Path); err == nil && info.Mode()&os.ModeSocket != 0 {
			return address
		}
	}
	return ""
}

// allowedVariable expands what says where sockets are, and nothing else: a
// module must not learn of the environment by what it suggests.
func allowedVariable(name string) string {
	switch name {
	case "XDG_RUNTIME_DIR", "HOME":
		return os.Getenv(name)
	}
	return ""
}

// findProgram finds the program for an alias: the user's choice, a suggestion,
// or the alias itself as a name.
func findProgram(request abi.ExecAccess, choice, plugin string) (string, error) {
	if choice != "" {
		path, err := exec.LookPath(choice)
		if err != nil {
			return "", sdk.Errorf(sdk.CodeInvalid, "", "program %s: %w", request.Program, err)
		}
		return filepath.Abs(path)
	}
	for _, name := range append(request.Suggest, request.Program) {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", missing("program", request.Program, "/PATH", plugin)
}

// read reads and judges a module.
func read(path, shown string) ([]byte, *module.Report, error) {
	data, err := module.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil, &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("there is no file %s", shown), Hint: near(path)}
	}
	if err != nil {
		return nil, nil, wasm.Refuse(shown, err)
	}
	report, err := module.Inspect(data)
	if err != nil {
		return nil, nil, wasm.Refuse(shown, err)
	}
	return data, report, nil
}

// near names the .wasm files that are where the missing one should be.
func near(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return "there is no folder " + filepath.Dir(path) + " either"
	}
	var names []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".wasm") {
			names = append(names, entry.Name())
		}
	}
	if len(names) == 0 {
		return "there is no .wasm file in " + filepath.Dir(path)
	}
	return "in " + filepath.Dir(path) + " there is: " + strings.Join(names, ", ")
}

// Requests lists what a module asks for, a line each, with its reason.
func Requests(report *module.Report) []string {
	var lines []string
	for _, r := range report.Manifest.Requests.HTTP {
		line := fmt.Sprintf("the HTTP endpoint %q", r.Endpoint)
		if len(r.Methods) > 0 {
			line += " (" + strings.Join(r.Methods, ", ") + ")"
		}
		lines = append(lines, because(line, r.Reason))
	}
	for _, r := range report.Manifest.Requests.Exec {
		line := fmt.Sprintf("the program %q", r.Program)
		if slices.Contains(r.Env, abi.AnyVariable) {
			line += " with any variables that it sets"
		} else if len(r.Env) > 0 {
			line += " with the variables " + strings.Join(r.Env, ", ")
		}
		lines = append(lines, because(line, r.Reason))
	}
	if kv := report.Manifest.Requests.KV; kv != nil {
		lines = append(lines, fmt.Sprintf("a store of %d bytes", kv.Bytes))
	}
	return lines
}

func because(line, reason string) string {
	if reason == "" {
		return line
	}
	return line + ": " + wasm.OneLine(reason)
}

// Inspect reads and judges a plugin's file without running anything.
func Inspect(file string) (*module.Report, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	_, report, err := read(path, file)
	return report, err
}
