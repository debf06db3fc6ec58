package nerdctl

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// refused is the typed error for a command that failed.
func (r *Runtime) refused(op, resource string, result sdk.Result) *sdk.Error {
	return r.refusedSaying(op, resource, said(result.Stderr, result.Stdout, result.ExitCode))
}

func (r *Runtime) refusedSaying(op, resource, text string) *sdk.Error {
	e := &sdk.Error{Code: sdk.CodeInternal, Op: op, Resource: resource, Err: errors.New(text)}
	for _, known := range knownTexts {
		if !known.pattern().MatchString(text) {
			continue
		}
		e.Code, e.Hint = known.code, known.hint
		if op != "start" && unknownFlag().MatchString(text) {
			// No field of a spec is at fault, but the client's version.
			e.Code, e.Hint = sdk.CodeUnavailable, r.checkProgram()
		}
		if e.Hint == hintStart {
			e.Hint = r.dialect.start
		}
		return e
	}
	return e
}

// logLine is a line of the loggers that these programs share.
var logLine = matching(`^time="[^"]*" level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S+)(?: error=("(?:[^"\\]|\\.)*"|\S+))?`)

// said is what a failed command gave as its reason: the last word of its log, or
// what isn't log at all. Warnings aren't reasons.
func said(stderr, stdout []byte, exitCode int) string {
	var reasons, others, warnings []string
	for line := range strings.Lines(string(stderr)) {
		line = strings.TrimSpace(line)
		level, message, ok := parseLog(line)
		switch {
		case line == "", ok && (level == "info" || level == "debug"):
		case ok && level == "warning":
			warnings = append(warnings, message)
		case ok && level == "fatal":
			reasons = []string{message}
		case ok:
			others = append(others, message)
		default:
			if rest, isError := strings.CutPrefix(line, "Error: "); isError {
				line = rest
				reasons = nil
			}
			reasons = append(reasons, line)
		}
	}
	if len(reasons) == 0 {
		reasons = others
	}
	// Some say in the end only that something failed, and before what.
	if len(reasons) == 1 && vague().MatchString(reasons[0]) && len(others)+len(warnings) > 0 {
		reasons = append(others, warnings...)
	}
	text := plain(strings.Join(reasons, "; "))
	if text == "" {
		text = strings.TrimSpace(lastLine(stdout))
	}
	if text == "" {
		return "it ended with exit code " + strconv.Itoa(exitCode) + " and said nothing"
	}
	return clip(text)
}

var vague = matching(`^(no network could be removed|some volumes could not be (removed|inspected)|unable to find any network matching the provided request)$`)

// messageLimit keeps a program that prints rubbish from filling the screen.
const messageLimit = 2000

func clip(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= messageLimit {
		return text
	}
	return strings.ToValidUTF8(text[:messageLimit], "") + " …"
}

// parseLog reads a line of a log; ok says whether it is one.
func parseLog(line string) (level, message string, ok bool) {
	match := logLine().FindStringSubmatch(line)
	if match == nil {
		return "", "", false
	}
	message = unquoted(match[2])
	if match[3] != "" {
		message += ": " + unquoted(match[3])
	}
	return match[1], message, true
}

func unquoted(text string) string {
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	return text
}

var prefixes = matching(`^(docker: |Error response from daemon: |Error: |\d+ errors?: ?\n?|name-store error\n|volume-store error\n|failed to (create shim task|set up container networking|create task for container|load networking flags)[^:]*: |driver failed programming external connectivity on endpoint [^:]*: |OCI runtime (create|exec|start) failed: |runc: |crun: |runc create failed: |exec failed: |inspecting object: |unable to start container process: |error during container init: )+`)

// plain is the reason without the words that say nothing to a user.
func plain(text string) string {
	text = strings.TrimSpace(prefixes().ReplaceAllString(strings.TrimSpace(text), ""))
	text = strings.TrimSuffix(text, ": unknown")
	return strings.ReplaceAll(text, "\n", "; ")
}

// unknownFlag is what a client says to an argument that it doesn't know.
var unknownFlag = matching(`unknown (shorthand )?flag`)

// hintStart stands for the dialect's own hint.
const hintStart = "start"

// knownTexts tells errors apart by what the programs say; the first that matches
// counts. The test data holds the exact texts.
var knownTexts = []struct {
	pattern pattern
	code    sdk.Code
	hint    string
}{
	{
		matching(`permission denied while trying to connect|\.sock"?: (connect: )?permission denied|connect: permission denied|(needs|requires?) root|must be (run as )?root|rootless.*not supported`),
		sdk.CodeUnavailable, "run it as a user who may use the engine",
	},
	{
		matching(`cannot access containerd socket|failed to dial .*containerd|[Cc]annot connect to the Docker daemon|unable to connect to Podman|cannot connect to (the )?[Pp]odman|rootless containerd not running|connect: (connection refused|no such file or directory)$|transport: Error while dialing|containerd\.sock.*(connection refused|no such file)`),
		sdk.CodeUnavailable, hintStart,
	},
	{matching(`no space left on device|disk quota exceeded`), sdk.CodeUnavailable, "make room where the engine keeps its data, for instance by its command `system prune`"},
	{
		matching(`port is already allocated|address already in use|[Ff]ailed to bind (host )?port|ports are not available|rootlessport .* (bind|in use)`),
		sdk.CodePortInUse, "stop what uses the port, or publish another one",
	},
	{matching(`cannot assign requested address`), sdk.CodeInvalid, "publish the port on an address that this machine has"},
	{matching(`is already (used|in use) by|already in use\b|already exists|name "[^"]*" is already used`), sdk.CodeConflict, ""},
	{matching(`invalid reference format|repository name must be lowercase|could not parse reference|failed to parse reference`), sdk.CodeInvalid, "an image is named like postgres:16 or ghcr.io/owner/name:tag"},
	{matching(`[Nn]o such (container|network|object)|no container with name or ID|no network found matching|unable to find network|network .*not found|[Nn]o such volume|no volume with name|volume\.json" does not exist|volume .*: not found|container .*: not found`), sdk.CodeNotFound, ""},
	{
		matching(`image not available|image not known|[Nn]o such image|pull access denied|manifest unknown|name unknown|insufficient_scope|repository .* not found|failed to resolve reference .*: not found|: not found$|short-name .* did not resolve`),
		sdk.CodeImageNotFound, "check the image's name and tag; a private one needs a login",
	},
	{matching(`(?i)unauthorized|authentication required|no basic auth credentials|incorrect username or password|requested access to the resource is denied|403 Forbidden`), sdk.CodeUnauthorized, "log in to that registry with the engine's own command `login`"},
	{
		matching(`no such host|server misbehaving|connection refused|connection reset|i/o timeout|network is unreachable|no route to host|TLS handshake|server gave HTTP response|x509:|toomanyrequests|5\d\d (Internal Server Error|Bad Gateway|Service Unavailable)`),
		sdk.CodeUnavailable, "check the registry's name and your network; an image that is here already needs no registry",
	},
	{matching(`cannot exec in a (stopped|deleted|paused) state|cannot exec in a paused container|is not running|container state improper|task .*not found|is restarting|container .* is paused|no running task`), sdk.CodeExited, ""},
	{matching(`unsupported restart policy|unknown flag|unknown shorthand flag`), sdk.CodeUnsupported, "use a newer version of the engine, or leave it out"},
	{matching(`(tini|docker-init|catatonit)[^:]*: no such file or directory|container-init binary not found`), sdk.CodeUnsupported, "init needs the program tini on the engine's machine: install it, or leave init out"},
	{matching(`unable to find (user|group)|no matching entries in (passwd|group) file|no (users|groups) found|/etc/(passwd|group): no such file or directory`), sdk.CodeInvalid, "name a user that the image has, or give numbers: 1000:1000"},
	{matching(`workdir .* does not exist on container`), sdk.CodeInvalid, "name a working directory that the image has"},
	{matching(`bind source path does not exist|statfs .*: no such file or directory|error mounting "[^"]*".*no such file or directory|mount source .* does not exist`), sdk.CodeInvalid, "create the folder, or mount another one"},
	{
		matching(`executable file not found|(exec|stat) .*: no such file or directory|exec: .*: permission denied|exec format error|attempted to invoke a command that was not found`),
		sdk.CodeInvalid, "check command and entrypoint: the image must have that program, for this machine",
	},
	{matching(`has active endpoints|is in use by container|network .*(is in use|is being used)`), sdk.CodeConflict, "disconnect or stop the containers that use it first"},
	{matching(`volume .*(is in use|is being used)`), sdk.CodeConflict, "remove the containers that use it first"},
	{matching(`must match pattern|invalid argument|invalid container name|invalid value`), sdk.CodeInvalid, ""},
	{matching(`could not find (available|free)|no (more )?available|address pools?`), sdk.CodeUnavailable, "remove networks that nobody uses, by the engine's command `network prune`"},
}

// gone says whether err means that what was asked for isn't there.
func gone(err error) bool { return sdk.IsCode(err, sdk.CodeNotFound) }

// rubbish is the error for an answer that makes no sense.
func (r *Runtime) rubbish(op string, output []byte, err error) error {
	e := r.error(sdk.CodeUnavailable, op, "", errors.New("the answer of "+r.program+" makes no sense: "+err.Error()))
	e.Hint = r.checkProgram()
	e.Output = clip(strings.TrimSpace(string(output)))
	return e
}
