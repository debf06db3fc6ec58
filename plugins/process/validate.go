//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Validate implements sdk.Validator. A program with a path isn't looked for:
// another resource may be there to build it.
func (r *Runtime) Validate(_ context.Context, spec sdk.Spec) error {
	if err := validate(spec); err != nil {
		return err
	}
	if name := argumentsOf(spec)[0]; !strings.Contains(name, "/") {
		_, err := inPath(name, environment(os.Environ(), spec.Env))
		return failed("validate", spec.Resource, err)
	}
	return nil
}

// validate is Validate but for the look for the program.
func validate(spec sdk.Spec) error {
	if field := unsupported(spec); field != "" {
		return &sdk.Error{
			Code: sdk.CodeUnsupported, Op: "validate", Resource: spec.Resource,
			Err:  fmt.Errorf("a process can't honour `%s`", field),
			Hint: "leave it out, or run this resource on an engine of containers",
		}
	}
	invalid := func(format string, args ...any) error {
		return &sdk.Error{Code: sdk.CodeInvalid, Op: "validate", Resource: spec.Resource, Err: fmt.Errorf(format, args...)}
	}
	arguments := argumentsOf(spec)
	if len(arguments) == 0 || arguments[0] == "" {
		return invalid("it has no command")
	}
	for _, arg := range arguments {
		if strings.ContainsRune(arg, 0) {
			return invalid("an argument of its command contains a zero byte")
		}
	}
	for name, value := range spec.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			return invalid("the variable %q can't be in an environment", name)
		}
	}
	if _, ok := signalOf(spec.Stop.Signal); !ok {
		return invalid("%q is no signal of this system", spec.Stop.Signal)
	}
	if !idPattern.MatchString(spec.Project + "." + spec.Resource + ".0000000000000000") {
		return invalid("project %q and resource %q can't name a process", spec.Project, spec.Resource)
	}
	return nil
}

// argumentsOf are the program and its arguments.
func argumentsOf(spec sdk.Spec) []string { return slices.Concat(spec.Entrypoint, spec.Command) }

// unsupported is the first field that only a container can honour.
func unsupported(spec sdk.Spec) string {
	for _, field := range []struct {
		name  string
		given bool
	}{
		{"dockerfile", spec.Build != nil},
		{"image", spec.Image != ""},
		{"user", spec.User != ""},
		{"hostname", spec.Hostname != ""},
		{"init", spec.Init},
		{"volumes", len(spec.Mounts) > 0},
		{"aliases", len(spec.Aliases) > 0},
		{"extra_hosts", len(spec.ExtraHosts) > 0},
		{"limits", spec.Limits != sdk.Limits{}},
		{"pull", spec.Pull != ""},
		{"ports", mapsPorts(spec.Ports)},
	} {
		if field.given {
			return field.name
		}
	}
	return ""
}

// mapsPorts says whether a port is to be published as another: a process
// listens on the host itself.
func mapsPorts(ports []sdk.PortBinding) bool {
	for _, port := range ports {
		if port.HostPort != port.ContainerPort {
			return true
		}
	}
	return false
}
