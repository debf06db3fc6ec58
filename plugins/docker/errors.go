package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// typed gives an engine's error the contract's code, operation, resource and
// hint.
func (r *Runtime) typed(op, resource string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*sdk.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &sdk.Error{Code: sdk.CodeOf(err), Op: op, Resource: resource, Err: err}
	}
	if client.IsErrConnectionFailed(err) {
		return r.unavailable(op, resource, err)
	}
	text := plain(err)
	for _, known := range knownTexts {
		if known.pattern.MatchString(text) {
			return &sdk.Error{Code: known.code, Op: op, Resource: resource, Err: reworded{text, err}, Hint: known.hint}
		}
	}
	return &sdk.Error{Code: codeOf(err), Op: op, Resource: resource, Err: reworded{text, err}}
}

// unavailable explains why the engine can't be reached, as far as the cause
// tells.
func (r *Runtime) unavailable(op, resource string, err error) error {
	e := &sdk.Error{Code: sdk.CodeUnavailable, Op: op, Resource: resource}
	switch {
	case errors.Is(err, os.ErrPermission) || strings.Contains(err.Error(), "permission denied"):
		e.Err = fmt.Errorf("no permission to use the docker engine at %s", r.address)
		e.Hint = "add yourself to the group docker (`sudo usermod -aG docker $USER`, then log in again), or use rootless docker"
	case errors.Is(err, os.ErrNotExist):
		e.Err = fmt.Errorf("there is no docker engine at %s", r.address)
		e.Hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or say where it is with DOCKER_HOST"
	default:
		e.Err = fmt.Errorf("can't reach the docker engine at %s: %w", r.address, err)
		e.Hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or say where it is with DOCKER_HOST"
	}
	return e
}

// knownTexts are errors that the engine tells apart only by their text.
var knownTexts = []struct {
	pattern *regexp.Regexp
	code    sdk.Code
	hint    string
}{
	{regexp.MustCompile(`port is already allocated|address already in use|failed to bind (host )?port|ports are not available`), sdk.CodePortInUse, "stop what uses the port, or publish another one"},
	{regexp.MustCompile(`unauthorized|authentication required|no basic auth credentials|incorrect username or password|denied: requested access`), sdk.CodeUnauthorized, "log in with `docker login` for that registry"},
	{regexp.MustCompile(`pull access denied|manifest unknown|name unknown|repository .* not found|manifest for .* not found|No such image`), sdk.CodeImageNotFound, "check the image's name and tag; a private one needs `docker login`"},
	{regexp.MustCompile(`no such host|connection refused|i/o timeout|network is unreachable|TLS handshake|server gave HTTP response`), sdk.CodeUnavailable, "check the registry's name and your network; an image that is here already needs no registry"},
	{regexp.MustCompile(`is not running|container .* is restarting`), sdk.CodeExited, ""},
	{regexp.MustCompile(`executable file not found|no such file or directory: unknown|permission denied: unknown|exec format error`), sdk.CodeInvalid, "check command and entrypoint: the image must have that program"},
	{regexp.MustCompile(`bind source path does not exist`), sdk.CodeInvalid, "create the folder, or mount another one"},
	{regexp.MustCompile(`client version .* is too (new|old)`), sdk.CodeUnavailable, "unset DOCKER_API_VERSION, or use another version of the engine"},
}

func codeOf(err error) sdk.Code {
	switch {
	case cerrdefs.IsNotFound(err):
		return sdk.CodeNotFound
	case cerrdefs.IsConflict(err), cerrdefs.IsAlreadyExists(err):
		return sdk.CodeConflict
	case cerrdefs.IsInvalidArgument(err):
		return sdk.CodeInvalid
	case cerrdefs.IsUnauthorized(err):
		return sdk.CodeUnauthorized
	case cerrdefs.IsPermissionDenied(err):
		return sdk.CodeDenied
	case cerrdefs.IsNotImplemented(err):
		return sdk.CodeUnsupported
	case cerrdefs.IsUnavailable(err):
		return sdk.CodeUnavailable
	}
	return sdk.CodeInternal
}

var prefixes = regexp.MustCompile(`^(Error response from daemon: |Error: |failed to create task for container: |driver failed programming external connectivity on endpoint [^:]*: )+`)

// plain is the error without the words that say nothing to a user.
func plain(err error) string {
	return strings.TrimSpace(prefixes.ReplaceAllString(err.Error(), ""))
}

// reworded shows a plainer text for an error, which stays in its chain.
type reworded struct {
	text  string
	cause error
}

func (e reworded) Error() string { return e.text }
func (e reworded) Unwrap() error { return e.cause }
