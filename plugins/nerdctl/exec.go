package nerdctl

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Exec implements sdk.Execer. A command that the container doesn't have is no
// error: it is reported like a shell does, with exit code 126 or 127 and a line
// of output.
func (r *Runtime) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	args := []string{"exec"}
	env, bad := environment(options.Env)
	if bad != "" {
		return 0, sdk.Errorf(sdk.CodeUnsupported, "exec", "%s can't be given such a value for the variable %s", r.dialect.name, bad)
	}
	args = append(args, env.args...)
	if options.User != "" {
		args = append(args, "--user", options.User)
	}
	if options.WorkingDir != "" {
		args = append(args, "--workdir", options.WorkingDir)
	}
	args = append(append(args, id), options.Command...)
	p, err := r.spawn(ctx, call{op: "exec", args: args, stdin: env.stdin, env: env.env})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	stderr := &lastWords{w: orDiscard(options.Stderr)}
	code, err := pump(p, orDiscard(options.Stdout), stderr)
	if ctx.Err() != nil {
		return 0, contextEnded(ctx, "exec", "")
	}
	if err != nil {
		return 0, r.error(sdk.CodeInternal, "exec", "", err)
	}
	if code == 0 {
		return 0, stderr.flush()
	}
	return r.execEnded(code, stderr)
}

// spawn starts a command whose output is read while it runs.
func (r *Runtime) spawn(ctx context.Context, c call) (sdk.Process, error) {
	if ctx.Err() != nil {
		return nil, contextEnded(ctx, c.op, c.resource)
	}
	p, err := r.host.Spawn(ctx, r.command(c))
	if err != nil {
		return nil, r.notRun(ctx, c, err)
	}
	return p, nil
}

// pump copies both streams of a process and returns its exit code.
func pump(p sdk.Process, stdout, stderr io.Writer) (int, error) {
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(stderr, p.Stderr())
		copied <- err
	}()
	_, err := io.Copy(stdout, p.Stdout())
	if err != nil {
		// Nobody reads any more, so it is ended.
		_ = p.Kill(true)
	}
	if stderrErr := <-copied; err == nil && stderrErr != nil {
		err = stderrErr
	}
	if err != nil {
		return 0, err
	}
	return p.Wait()
}

// nerdctlExit is how nerdctl says which exit code the command had; its own is
// always 1.
var nerdctlExit = matching(`^exec failed with exit code (\d+)$`)

// notFound and notRunnable are what a shell would end with 127 and 126.
var (
	notFound    = matching(`executable file not found|no such file or directory|command that was not found`)
	notRunnable = matching(`exec: .*: permission denied|exec format error|is a directory|exec: permission denied`)
	// startFailed recognises that the program isn't the command's, but the
	// engine's, report.
	startFailed = matching(`(OCI runtime )?exec failed|unable to start container process|OCI runtime attempted to invoke`)
)

// execEnded tells a command's failure from the engine's, which both end the
// client with a code other than 0. The last line of its stderr says which.
func (r *Runtime) execEnded(code int, stderr *lastWords) (int, error) {
	line := string(bytes.TrimSpace(stderr.held))
	level, message, isLog := parseLog(line)
	if !isLog || level != "fatal" {
		isLog = false
		message = line
	}
	switch {
	case isLog && nerdctlExit().MatchString(message):
		own, _ := strconv.Atoi(nerdctlExit().FindStringSubmatch(message)[1])
		return own, nil // and without its last words
	case startFailed().MatchString(message) && notFound().MatchString(message):
		return 127, stderr.replace(plain(message))
	case startFailed().MatchString(message) && notRunnable().MatchString(message):
		return 126, stderr.replace(plain(message))
	case isLog, (code == 125 || code == 255) && strings.HasPrefix(line, "Error: "), strings.HasPrefix(line, "Error response from daemon: "), r.dialect.name == "docker" && strings.HasPrefix(line, "Error: No such container"):
		return 0, r.refusedSaying("exec", "", said(stderr.held, nil, code))
	}
	return code, stderr.flush()
}

// lastWords passes on what is written to it, but for the last line, which may be
// the client's own.
type lastWords struct {
	w    io.Writer
	held []byte
}

// heldLimit bounds a line that never ends.
const heldLimit = 64 << 10

func (l *lastWords) Write(p []byte) (int, error) {
	l.held = append(l.held, p...)
	end := bytes.LastIndexByte(bytes.TrimSuffix(l.held, []byte("\n")), '\n') + 1
	if len(l.held)-end > heldLimit {
		end = len(l.held)
	}
	if end == 0 {
		return len(p), nil
	}
	if _, err := l.w.Write(l.held[:end]); err != nil {
		return 0, err
	}
	l.held = append(l.held[:0], l.held[end:]...)
	return len(p), nil
}

func (l *lastWords) flush() error {
	_, err := l.w.Write(l.held)
	l.held = nil
	return err
}

func (l *lastWords) replace(text string) error {
	l.held = []byte(text + "\n")
	return l.flush()
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// sortedLabels are labels as arguments.
func sortedLabels(project string, labels map[string]string) []string {
	all := map[string]string{sdk.LabelProject: project}
	maps.Copy(all, labels)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "--label", name+"="+all[name])
	}
	return args
}
