package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// typed gives an engine's error the contract's code, operation, resource and
// hint. It leaves an error alone that has them already.
func (r *Runtime) typed(ctx context.Context, op, resource string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*sdk.Error](err); ok {
		return err
	}
	if silence, ok := silent(err); ok {
		return &sdk.Error{Code: sdk.CodeTimeout, Op: op, Resource: resource, Err: silence, Hint: silentHint}
	}
	broken := cutOff(err)
	if ctx.Err() != nil && (broken || contextual(err)) {
		return contextEnded(ctx, op, resource)
	}
	if broken {
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

func contextual(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// contextEnded is the error of an operation that its context ended. It wraps
// the context's error and, where the caller gave one, its cause.
func contextEnded(ctx context.Context, op, resource string) error {
	err := ctx.Err()
	code := sdk.CodeOf(err)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, err):
	case code == sdk.CodeTimeout:
		err = reworded{cause.Error(), errors.Join(err, cause)} // who set the limit says it better
	default:
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return &sdk.Error{Code: code, Op: op, Resource: resource, Err: err}
}

// cutOff says whether err means that the engine wasn't reached, or not to the
// end: then what was asked of it may have happened or not.
func cutOff(err error) bool {
	if client.IsErrConnectionFailed(err) || strings.Contains(err.Error(), "HTTP request to an HTTPS server") || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// nameExists recognises that a name is taken; podman says so with the status of
// an internal error.
func nameExists(err error) bool {
	return cerrdefs.IsConflict(err) || strings.Contains(err.Error(), "already in use by") || strings.Contains(err.Error(), "already exists")
}

// neverSent says whether err means that there was no connection to send the
// request on. The client library tells by its text alone.
func neverSent(err error) bool {
	return client.IsErrConnectionFailed(err) && strings.HasPrefix(err.Error(), "Cannot connect to the Docker daemon")
}

const (
	startHint   = "start it (`sudo systemctl start docker`, or Docker Desktop), or say where it is with DOCKER_HOST"
	groupHint   = "add yourself to the group docker (`sudo usermod -aG docker $USER`, then log in again), or use rootless docker"
	addressHint = "check the address in DOCKER_HOST or of the docker context, and your network"
	tlsHint     = "check the certificates in DOCKER_CERT_PATH, and DOCKER_TLS_VERIFY"
	sshHint     = "check that `ssh` reaches that machine without a question, and that docker runs there"
	versionHint = "unset DOCKER_API_VERSION, or use another version of the engine"
	loginHint   = "log in with `docker login` for that registry"
)

// unavailable explains why the engine can't be reached, as far as the cause
// tells.
func (r *Runtime) unavailable(op, resource string, err error) error {
	cause := err
	if failure := r.line.lastFailure(); failure != nil {
		cause = failure
	}
	what := fmt.Errorf("can't reach the docker engine at %s: %w", r.address, reworded{plain(cause), err})
	e := &sdk.Error{Code: sdk.CodeUnavailable, Op: op, Resource: resource, Err: what, Hint: startHint}
	text := cause.Error()
	_, lookup := errors.AsType[*net.DNSError](cause)
	switch {
	case errors.Is(cause, os.ErrPermission) || strings.Contains(text, "permission denied"):
		e.Hint = groupHint
	case strings.HasPrefix(r.address, "ssh://"):
		e.Hint = sshHint
	case strings.Contains(text, "tls:") || strings.Contains(text, "x509:") || strings.Contains(text, "TLS-enabled") || strings.Contains(text, "HTTPS"):
		e.Hint = tlsHint
	case errors.Is(cause, os.ErrNotExist) || errors.Is(cause, syscall.ECONNREFUSED):
		e.Hint = startHint
	case lookup || strings.HasPrefix(r.address, "tcp://"):
		e.Hint = addressHint
	}
	return e
}

// knownTexts are errors that engines tell apart only by their text. The first
// that matches counts.
var knownTexts = []struct {
	pattern *regexp.Regexp
	code    sdk.Code
	hint    string
}{
	{
		regexp.MustCompile(`port is already allocated|address already in use|[Ff]ailed to bind (host )?port|ports are not available`),
		sdk.CodePortInUse, "stop what uses the port, or publish another one",
	},
	{
		regexp.MustCompile(`cannot assign requested address`),
		sdk.CodeInvalid, "publish the port on an address that this machine has",
	},
	{regexp.MustCompile(`invalid reference format|repository name must be lowercase`), sdk.CodeInvalid, "an image is named like postgres:16 or ghcr.io/owner/name:tag"},
	{
		regexp.MustCompile(`pull access denied|manifest unknown|name unknown|manifest for .* not found|[Nn]o such image|repository .* not found|insufficient_scope|not found: manifest`),
		sdk.CodeImageNotFound, "check the image's name and tag; a private one needs `docker login`",
	},
	{
		regexp.MustCompile(`unauthorized|authentication required|no basic auth credentials|incorrect username or password|401 Unauthorized|requested access to the resource is denied|403 Forbidden`),
		sdk.CodeUnauthorized, loginHint,
	},
	{
		// Before the registry's: this is the engine itself.
		regexp.MustCompile(`^the engine answered 5\d\d`),
		sdk.CodeUnavailable, "see the engine's log for the reason",
	},
	{
		regexp.MustCompile(`no such host|server misbehaving|connection refused|connection reset|i/o timeout|network is unreachable|no route to host|TLS handshake|server gave HTTP response|x509:|request canceled while waiting|context deadline exceeded|toomanyrequests|5\d\d (Internal Server Error|Bad Gateway|Service Unavailable)`),
		sdk.CodeUnavailable, "check the registry's name and your network; an image that is here already needs no registry",
	},
	{regexp.MustCompile(`unable to find network|network not found|does not exist in database: no such container|no container with name or ID`), sdk.CodeNotFound, ""},
	{regexp.MustCompile(`is not running|update a stopped container|[Cc]ontainer .* is restarting|container state improper`), sdk.CodeExited, ""},
	{
		regexp.MustCompile(`executable file not found|(exec|stat) .*: no such file or directory|exec: .*: permission denied|exec format error|OCI runtime attempted to invoke a command that was not found`),
		sdk.CodeInvalid, "check command and entrypoint: the image must have that program, for this machine",
	},
	{regexp.MustCompile(`unable to find (user|group)|no matching entries in (passwd|group) file`), sdk.CodeInvalid, "name a user that the image has, or give numbers: 1000:1000"},
	{regexp.MustCompile(`bind source path does not exist|statfs .*: no such file or directory`), sdk.CodeInvalid, "create the folder, or mount another one"},
	{regexp.MustCompile(`has active endpoints|network is being used`), sdk.CodeConflict, "disconnect or stop the containers that use it first"},
	{regexp.MustCompile(`volume is in use|volume .* is being used`), sdk.CodeConflict, "remove the containers that use it first"},
	{regexp.MustCompile(`address pools?|no available network|no available IPv4 addresses`), sdk.CodeUnavailable, "remove networks that nobody uses: docker network prune"},
	{regexp.MustCompile(`no space left on device`), sdk.CodeUnavailable, "make room where the engine keeps its data: docker system df, docker system prune"},
	{regexp.MustCompile(`client version .* is too (new|old)|client is newer than server`), sdk.CodeUnavailable, versionHint},
}

// codeOf is the code for an error whose text isn't known.
func codeOf(err error) sdk.Code {
	switch {
	case cerrdefs.IsNotFound(err):
		return sdk.CodeNotFound
	case cerrdefs.IsConflict(err), cerrdefs.IsAlreadyExists(err):
		return sdk.CodeConflict
	case cerrdefs.IsInvalidArgument(err):
		return sdk.CodeInvalid
	case cerrdefs.IsUnauthorized(err), cerrdefs.IsPermissionDenied(err):
		// CodeDenied is for what the program itself doesn't allow a plugin.
		return sdk.CodeUnauthorized
	case cerrdefs.IsNotImplemented(err):
		return sdk.CodeUnsupported
	case cerrdefs.IsUnavailable(err):
		return sdk.CodeUnavailable
	}
	return sdk.CodeInternal
}

var prefixes = regexp.MustCompile(`^(Error response from daemon: |error during connect: |Error: |failed to (set up|create task for) container[^:]*: |driver failed programming external connectivity on endpoint [^:]*: |OCI runtime create failed: |runc create failed: |(Get|Post|Head|Put|Delete) "[^"]*": )+`)

// wordless is what the client library says of an answer without a text.
var wordless = regexp.MustCompile(`request returned (.+) for API route and version \S+, check if the server supports the requested API version`)

// plain is the error without the words that say nothing to a user.
func plain(err error) string {
	text := prefixes.ReplaceAllString(err.Error(), "")
	return strings.TrimSpace(wordless.ReplaceAllString(text, "the engine answered $1"))
}

// reworded shows a plainer text for an error, which stays in its chain.
type reworded struct {
	text  string
	cause error
}

func (e reworded) Error() string { return e.text }
func (e reworded) Unwrap() error { return e.cause }
