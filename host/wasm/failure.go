package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Kind says how a plugin failed its host.
type Kind string

// The kinds of failures.
const (
	// Refused: the module can't be a plugin, isn't trusted, or can't be compiled.
	Refused Kind = "refused"
	// Trap: its code stopped on an error of its own.
	Trap Kind = "trap"
	// Timeout: it didn't end though it was told to.
	Timeout Kind = "timeout"
	// Exit: it called exit, with any code.
	Exit Kind = "exit"
	// Limit: it wanted more than it may use.
	Limit Kind = "limit"
	// Protocol: it broke the ABI, as with a result that isn't JSON.
	Protocol Kind = "protocol"
)

// Failure is the failure of a plugin to behave, which is none of the engine that
// it drives: the latter are sdk.Errors, with the codes that the plugin gives.
type Failure struct {
	Kind   Kind
	Plugin string
	// Op is the operation; empty while loading.
	Op string
	// Err says what happened. Its chain holds an sdk.Error with the code.
	Err error
	// Stack is where in the module it happened, innermost first.
	Stack []string
	// Stderr is what the plugin printed last.
	Stderr string
}

// Error says it on one line.
func (f *Failure) Error() string {
	text := "plugin " + f.Plugin
	if f.Op != "" {
		text += ": " + f.Op
	}
	return text + ": " + f.Err.Error()
}

// Unwrap returns the cause, an sdk.Error.
func (f *Failure) Unwrap() error { return f.Err }

// because makes the cause of a failure.
func because(code sdk.Code, hint, format string, args ...any) *sdk.Error {
	e := sdk.Errorf(code, "", format, args...)
	e.Hint = hint
	return e
}

// refusal is the failure of what was refused before it could run.
func refusal(plugin string, err error) *Failure {
	hint := ""
	if e, ok := errors.AsType[*module.Error](err); ok {
		hint = e.Hint
	}
	return &Failure{Kind: Refused, Plugin: plugin, Err: because(sdk.CodeInvalid, hint, "%w", err)}
}

// Refuse is the failure of a file that can't be a plugin.
func Refuse(file string, err error) error { return refusal(file, err) }

// fault is a panic of a host function: the plugin broke a rule that leaves no
// way to go on.
type fault struct {
	kind   Kind
	reason string
}

func (f *fault) Error() string { return f.reason }

// failure turns the error of a call into a Failure.
func (c *call) failure(err error) error {
	f := &Failure{Plugin: c.plugin.name, Op: string(c.op), Stderr: c.plugin.clean(c.stderr.String())}
	if c.hard.Err() != nil {
		cause := context.Cause(c.soft)
		f.Kind = Timeout
		f.Err = &sdk.Error{
			Code: sdk.CodeOf(cause), Err: fmt.Errorf("it went on for %s after its end was called for (%w), and was stopped", c.plugin.limits.grace(c.op), cause),
			Hint: "tell the plugin's author; `lightshuttle ps` shows what is left of its work",
		}
		return f
	}
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		f.Kind = Exit
		f.Err = because(sdk.CodeInternal, hintAuthor, "it called exit(%d) instead of returning", exit.ExitCode())
		return f
	}
	reason, stack, _ := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	f.Stack = frames(stack)
	if broken, ok := errors.AsType[*fault](err); ok {
		f.Kind = broken.kind
		f.Err = because(sdk.CodeInternal, hintAuthor, "%s", broken.reason)
		return f
	}
	f.Kind = Trap
	reason, _, _ = strings.Cut(strings.TrimPrefix(reason, "wasm error: "), "\n")
	hint := hintAuthor
	switch {
	case strings.Contains(f.Stderr, "out of memory"), strings.Contains(f.Stderr, "cannot allocate memory"):
		f.Kind = Limit
		reason = fmt.Sprintf("it needs more memory than the %d MiB that it may use", c.plugin.limits.Memory>>20)
	case reason == "stack overflow":
		reason = "its calls were nested too deep (stack overflow)"
	default:
		reason = lastWords(f.Stderr, reason)
	}
	f.Err = &sdk.Error{Code: sdk.CodeInternal, Err: fmt.Errorf("it crashed: %s", reason), Hint: hint, Output: f.Stderr}
	return f
}

// lastWords is what a guest in Go says why it stops, which is more than that it
// reached what can't be reached.
func lastWords(stderr, otherwise string) string {
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
	}
	return otherwise
}

const hintAuthor = "this is a mistake in the plugin: tell its author"

// frames takes the names out of a stack trace.
func frames(stack string) []string {
	const most = 20
	var list []string
	for line := range strings.Lines(stack) {
		if line = strings.TrimSpace(line); line != "" && len(list) < most {
			list = append(list, line)
		}
	}
	return list
}

// protocol is the failure of a result that breaks the ABI.
func (p *Plugin) protocol(op string, format string, args ...any) error {
	return &Failure{Kind: Protocol, Plugin: p.name, Op: op, Err: because(sdk.CodeInternal, hintAuthor, format, args...)}
}
