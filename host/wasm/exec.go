package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// What a command may have.
const (
	mostArgs  = 1024
	mostBytes = 256 << 10
)

// answer leaves the result of a call for result_read.
func (c *call) answer(result any) abi.Status {
	document, err := json.Marshal(result)
	if err != nil {
		return c.refuse(err)
	}
	c.result = document
	return abi.OK
}

// refuse leaves an error for result_read.
func (c *call) refuse(err error) abi.Status {
	status, document := abi.FromError(err)
	if limit, ok := errors.AsType[*limitError](err); ok {
		status, document = abi.Limit, abi.Error{Message: limit.Error()}
	}
	c.result, _ = json.Marshal(document) // it holds only text and numbers
	return status
}

// limitError says that the guest wants more than it may use.
type limitError struct{ text string }

func (l *limitError) Error() string { return l.text }

func denied(hint, format string, args ...any) error {
	return because(sdk.CodeDenied, hint, format, args...)
}

// request reads a document and the bytes beside it out of the guest's memory.
func (c *call) request(m api.Module, stack []uint64, into any) ([]byte, error) {
	if length(stack[1]) > documentSize || length(stack[3]) > outputLimit {
		return nil, &limitError{"the request is too big"}
	}
	if err := understand(view(m, stack[0], stack[1]), into); err != nil {
		return nil, err
	}
	return slices.Clone(view(m, stack[2], stack[3])), nil
}

// understand reads a document of the guest's.
func understand(document []byte, into any) error {
	if err := json.Unmarshal(document, into); err != nil {
		return because(sdk.CodeInvalid, "", "the request isn't understood: %w", err)
	}
	return nil
}

// command turns a request to run a program into a command of the machine, if
// both the manifest and the user allow it.
func (c *call) command(request abi.ExecRequest, stdin []byte) (sdk.Command, error) {
	asked := requestExec(c.plugin.report.Manifest.Requests, request.Program)
	if asked == nil {
		return sdk.Command{}, denied("request it in the manifest", "the plugin's manifest doesn't request the program %q", request.Program)
	}
	i := slices.IndexFunc(c.plugin.options.Grants.Exec, func(g ExecGrant) bool { return g.Program == request.Program })
	if i < 0 {
		return sdk.Command{}, denied("grant it with `lightshuttle plugin trust`", "the program %q isn't granted to plugin %s", request.Program, c.plugin.name)
	}
	granted := c.plugin.options.Grants.Exec[i]
	if err := checkArguments(request); err != nil {
		return sdk.Command{}, err
	}
	if !matchesArgs(asked.Args, request.Args) || !matchesArgs(granted.Args, request.Args) {
		return sdk.Command{}, denied("", "the arguments %q of program %s aren't allowed", firstArgs(request.Args), request.Program)
	}
	env, err := environment(request, asked, granted)
	if err != nil {
		return sdk.Command{}, err
	}
	if len(stdin) == 0 {
		stdin = nil
	}
	return sdk.Command{Program: granted.Path, Args: request.Args, Env: env, Stdin: stdin}, nil
}

// firstArgs are the arguments as far as they may be shown: the later ones may
// hold anything.
func firstArgs(args []string) []string { return args[:min(len(args), 2)] }

func checkArguments(request abi.ExecRequest) error {
	total := 0
	texts := slices.Clone(request.Args)
	for _, pair := range request.Env {
		if pair[0] == "" || strings.Contains(pair[0], "=") {
			// It would be another variable than the one that was judged.
			return because(sdk.CodeInvalid, "", "%q is no name of a variable", clip(pair[0]))
		}
		texts = append(texts, pair[0], pair[1])
	}
	for _, text := range texts {
		total += len(text) + 1
		if strings.ContainsRune(text, 0) {
			return because(sdk.CodeInvalid, "", "an argument or a variable holds a NUL byte")
		}
	}
	if len(texts) > mostArgs || total > mostBytes {
		return &limitError{"the arguments are too many or too long"}
	}
	return nil
}

// environment is what the program is given beside the minimum: what the guest
// sets, and what our own environment says of the other granted names.
func environment(request abi.ExecRequest, asked *abi.ExecAccess, granted ExecGrant) ([][2]string, error) {
	allowed := func(name string) bool {
		return !neverGranted(name) && names(asked.Env, name) && names(granted.Env, name)
	}
	env := slices.Clone(request.Env)
	set := map[string]bool{}
	for _, pair := range env {
		if !allowed(pair[0]) {
			return nil, denied("", "the variable %q isn't granted for program %s", pair[0], request.Program)
		}
		set[pair[0]] = true
	}
	for _, name := range granted.Env {
		value, there := os.LookupEnv(name)
		if there && !set[name] && allowed(name) {
			env = append(env, [2]string{name, value})
		}
	}
	return env, nil
}

// within bounds a context by a timeout that the guest asks for.
func within(ctx context.Context, timeout sdk.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout.Std())
}

func execRun(c *call, m api.Module, stack []uint64) { put(stack, c.execRun(m, stack)) }

func (c *call) execRun(m api.Module, stack []uint64) abi.Status {
	var request abi.ExecRequest
	stdin, err := c.request(m, stack, &request)
	if err != nil {
		return c.refuse(err)
	}
	command, err := c.command(request, stdin)
	if err != nil {
		return c.refuse(err)
	}
	ctx, status := c.mayRun(2)
	if status != abi.OK {
		return status
	}
	bounded, cancel := within(ctx, request.Timeout)
	defer cancel()
	result, err := c.plugin.machine.Run(bounded, command)
	if ctx.Err() != nil {
		return c.interruptedCall(ctx)
	}
	if err != nil {
		return c.refuse(err)
	}
	cut := len(result.Stdout) > runOutput || len(result.Stderr) > runOutput
	return c.answer(abi.RunResult{
		ExitCode: result.ExitCode, Truncated: result.Truncated || cut,
		Stdout: c.addBytes(result.Stdout[:min(len(result.Stdout), runOutput)]),
		Stderr: c.addBytes(result.Stderr[:min(len(result.Stderr), runOutput)]),
	})
}

// interruptedCall is interrupted for a call that has a result.
func (c *call) interruptedCall(ctx context.Context) abi.Status {
	c.result = nil
	return c.interrupted(ctx)
}

// mayRun says whether another program may run, and under which context.
func (c *call) mayRun(handles int) (context.Context, abi.Status) {
	ctx, status := c.waiting()
	if status != abi.OK {
		c.result = nil
		return nil, status
	}
	if c.handles.processes() >= c.plugin.limits.Processes {
		return nil, c.refuse(&limitError{"too many programs run at the same time"})
	}
	if !c.handles.room(handles) {
		return nil, c.refuse(&limitError{"too many handles are open"})
	}
	return ctx, abi.OK
}

func execSpawn(c *call, m api.Module, stack []uint64) { put(stack, c.execSpawn(m, stack)) }

func (c *call) execSpawn(m api.Module, stack []uint64) abi.Status {
	var request abi.ExecRequest
	stdin, err := c.request(m, stack, &request)
	if err != nil {
		return c.refuse(err)
	}
	command, err := c.command(request, stdin)
	if err != nil {
		return c.refuse(err)
	}
	ctx, status := c.mayRun(3)
	if status != abi.OK {
		return status
	}
	leave := func() {}
	if request.Works {
		leave = c.plugin.place(ctx)
	}
	if ctx.Err() != nil {
		leave()
		return c.interruptedCall(ctx)
	}
	life := ctx
	if request.Outlives {
		life = c.hard
	}
	bounded, cancel := life, context.CancelFunc(func() {})
	if request.Timeout > 0 {
		bounded, cancel = context.WithTimeout(life, request.Timeout.Std())
	}
	over := func() {
		cancel()
		leave()
	}
	process, err := c.plugin.machine.Spawn(bounded, command)
	if err == nil {
		return c.answer(c.addProgram(bounded, process, over))
	}
	over()
	if ctx.Err() != nil {
		return c.interruptedCall(ctx)
	}
	return c.refuse(err)
}

const (
	// places is how many programs that have the engine work run at the same time;
	// more of them don't start containers faster.
	places = 4
	// placePatience is how long a program waits for a place. It is a courtesy and no
	// limit: an operation must not wait for ever for others, or for itself.
	placePatience = 15 * time.Second
)

// place waits for a place, and returns what leaves it.
func (p *Plugin) place(ctx context.Context) (leave func()) {
	patience := time.NewTimer(placePatience)
	defer patience.Stop()
	select {
	case p.places <- struct{}{}:
		return func() { <-p.places }
	case <-patience.C:
	case <-ctx.Done():
	}
	return func() {}
}

func execWait(c *call, _ api.Module, stack []uint64) {
	p, ok := c.handles.open[abi.Handle(api.DecodeI32(stack[0]))].(*program)
	if !ok {
		put(stack, abi.BadHandle)
		return
	}
	ctx, status := c.waiting()
	if status == abi.OK {
		status = c.ready(ctx, -1, p.ready)
	}
	switch {
	case status != abi.OK:
		c.result = nil
	case p.err != nil && p.ctx.Err() != nil:
		c.result = nil
		status = c.ioStatus(p.ctx, p.err)
	case p.err != nil:
		status = c.refuse(p.err)
	default:
		status = c.answer(abi.WaitResult{ExitCode: p.code})
	}
	put(stack, status)
}

func execKill(c *call, _ api.Module, stack []uint64) {
	p, ok := c.handles.open[abi.Handle(api.DecodeI32(stack[0]))].(*program)
	if !ok {
		put(stack, abi.BadHandle)
		return
	}
	signal := api.DecodeI32(stack[1])
	if signal != 9 && signal != 15 {
		put(stack, c.refuse(because(sdk.CodeInvalid, "", "signal %d can't be sent, only 9 and 15", signal)))
		return
	}
	if p.ready() {
		put(stack, abi.OK) // its number may be another's by now
		return
	}
	if err := p.process.Kill(signal == 9); err != nil {
		put(stack, c.refuse(err))
		return
	}
	put(stack, abi.OK)
}
