package wasm

import (
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Grants are what the user allows a plugin. Together with what its manifest
// requests they decide about every single call: what isn't in both is denied.
type Grants struct {
	HTTP []HTTPGrant `yaml:"http,omitempty" json:"http,omitempty"`
	Exec []ExecGrant `yaml:"exec,omitempty" json:"exec,omitempty"`
	// KV is the size of the plugin's store in bytes; 0 is none.
	KV int `yaml:"kv,omitempty" json:"kv,omitempty"`
}

// HTTPGrant gives an alias an address.
type HTTPGrant struct {
	Endpoint string `yaml:"endpoint" json:"endpoint"`
	// Address is unix:///path, or http://host:port on the loopback interface.
	Address string `yaml:"address" json:"address"`
	// Methods and Paths bound the requests further than the manifest does; none
	// leaves it at that.
	Methods []string `yaml:"methods,omitempty" json:"methods,omitempty"`
	Paths   []string `yaml:"paths,omitempty" json:"paths,omitempty"`
}

// ExecGrant gives an alias a program.
type ExecGrant struct {
	Program string `yaml:"program" json:"program"`
	// Path is the absolute path of the program.
	Path string `yaml:"path" json:"path"`
	// Args bounds the arguments further than the manifest does; none leaves it at
	// that.
	Args [][]string `yaml:"args,omitempty" json:"args,omitempty"`
	// Env names the variables that the program may have, beside the minimal
	// environment; all of them have to be granted. "*" stands for any that the
	// plugin sets, and gives none of our own.
	Env []string `yaml:"env,omitempty" json:"env,omitempty"`
}

// Check says what is wrong with grants for a plugin that requests that: an
// alias that isn't asked for, an address or a path that can't be used.
func (g Grants) Check(requests abi.Requests) error {
	seen := map[string]bool{}
	for _, grant := range g.HTTP {
		if seen[grant.Endpoint] {
			return grantError("the endpoint %q is granted twice", grant.Endpoint)
		}
		seen[grant.Endpoint] = true
		if requestHTTP(requests, grant.Endpoint) == nil {
			return grantError("the endpoint %q is granted, but the plugin doesn't ask for it (it asks for: %s)", grant.Endpoint, listed(endpoints(requests)))
		}
		if err := checkAddress(grant); err != nil {
			return err
		}
	}
	seen = map[string]bool{}
	for _, grant := range g.Exec {
		if seen[grant.Program] {
			return grantError("the program %q is granted twice", grant.Program)
		}
		seen[grant.Program] = true
		if requestExec(requests, grant.Program) == nil {
			return grantError("the program %q is granted, but the plugin doesn't ask for it (it asks for: %s)", grant.Program, listed(programs(requests)))
		}
		if !filepath.IsAbs(grant.Path) {
			return grantError("the path %q of program %s isn't absolute", grant.Path, grant.Program)
		}
		for _, name := range grant.Env {
			if neverGranted(name) {
				return grantError("the variable %s of program %s can't be granted: it would decide which code runs", name, grant.Program)
			}
		}
	}
	return nil
}

func grantError(format string, args ...any) error {
	return because(sdk.CodeInvalid, "correct the grants in the settings, or run `lightshuttle plugin trust` again", format, args...)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func endpoints(r abi.Requests) []string {
	var names []string
	for _, request := range r.HTTP {
		names = append(names, request.Endpoint)
	}
	return names
}

func programs(r abi.Requests) []string {
	var names []string
	for _, request := range r.Exec {
		names = append(names, request.Program)
	}
	return names
}

// checkAddress refuses what isn't on this machine: a plugin that may reach an
// engine may not reach the world.
func checkAddress(grant HTTPGrant) error {
	address, err := url.Parse(grant.Address)
	switch {
	case err != nil:
		return grantError("the address %q of endpoint %s can't be read", grant.Address, grant.Endpoint)
	case address.Scheme == "unix" && filepath.IsAbs(address.Path) && address.Host == "":
		return nil
	case address.Scheme == "http" && address.Port() != "" && loopback(address.Hostname()) && strings.Trim(address.Path, "/") == "" && address.User == nil && address.RawQuery == "":
		return nil
	}
	return grantError("the address %q of endpoint %s is neither unix:///path nor http://127.0.0.1:port", grant.Address, grant.Endpoint)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func requestHTTP(r abi.Requests, alias string) *abi.HTTPAccess {
	i := slices.IndexFunc(r.HTTP, func(a abi.HTTPAccess) bool { return a.Endpoint == alias })
	if i < 0 {
		return nil
	}
	return &r.HTTP[i]
}

func requestExec(r abi.Requests, alias string) *abi.ExecAccess {
	i := slices.IndexFunc(r.Exec, func(a abi.ExecAccess) bool { return a.Program == alias })
	if i < 0 {
		return nil
	}
	return &r.Exec[i]
}

// names says whether a list of variables has that name.
func names(list []string, name string) bool {
	return slices.Contains(list, name) || slices.Contains(list, abi.AnyVariable)
}

// neverGranted says whether a variable decides which code a program runs.
func neverGranted(name string) bool {
	return name == "PATH" || name == "IFS" || name == "BASH_ENV" || name == "ENV" ||
		strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "DYLD_") || strings.HasPrefix(name, "GCONV_") || name == "GLIBC_TUNABLES"
}

// matchesArgs says whether one of the patterns matches; none matches anything.
// "*" stands for one argument, a last "**" for any number.
func matchesArgs(patterns [][]string, args []string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p []string) bool { return matchArgs(p, args) })
}

func matchArgs(pattern, args []string) bool {
	for i, p := range pattern {
		if p == "**" && i == len(pattern)-1 {
			return true
		}
		if i >= len(args) || p != "*" && p != args[i] {
			return false
		}
	}
	return len(args) == len(pattern)
}

// matchesPath says whether one of the patterns matches; none matches anything.
// In a segment "*" stands for any characters, and the segment "**" for any
// number of segments.
func matchesPath(patterns []string, path string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		return matchSegments(strings.Split(p, "/"), strings.Split(path, "/"))
	})
}

func matchSegments(pattern, path []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			// Collapsing keeps the number of tries small.
			for len(pattern) > 1 && pattern[1] == "**" {
				pattern = pattern[1:]
			}
			for skip := range len(path) + 1 {
				if matchSegments(pattern[1:], path[skip:]) {
					return true
				}
			}
			return false
		}
		if len(path) == 0 || !matchSegment(pattern[0], path[0]) {
			return false
		}
		pattern, path = pattern[1:], path[1:]
	}
	return len(path) == 0
}

// matchSegment matches with "*" for any characters.
func matchSegment(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	last := len(parts) - 1
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, part := range parts[1:last] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}

func matchesMethod(methods []string, method string) bool {
	return len(methods) == 0 || slices.Contains(methods, method)
}
