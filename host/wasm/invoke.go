package wasm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Invoke implements Invoker. Each operation runs in an instance of its own, so
// that no crash and no leak of one touches another.
func (p *Plugin) Invoke(ctx context.Context, invocation Invocation) (json.RawMessage, error) {
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	defer p.end()
	if !p.report.Can(invocation.Op) {
		return nil, sdk.Errorf(sdk.CodeUnsupported, "", "plugin %s doesn't export %s", p.name, invocation.Op)
	}
	c := &call{plugin: p, op: invocation.Op, invocation: invocation, wake: make(chan struct{}, 1), emissions: newRate(emissionRate, emissionBurst)}
	defer c.bound(ctx)()
	if err := c.encode(); err != nil {
		return nil, err
	}
	return c.run()
}

func (p *Plugin) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		<-p.slots
		return errClosed
	}
	p.running.Add(1)
	return nil
}

func (p *Plugin) end() {
	<-p.slots
	p.running.Done()
}

// call is one operation in its instance. The guest's code runs on one goroutine,
// and so do the host functions that it calls.
type call struct {
	plugin     *Plugin
	op         abi.Operation
	invocation Invocation

	// soft ends when the operation is to end; what waits then is interrupted. hard
	// ends a grace period later, and with it the instance.
	soft, hard context.Context
	cancelSoft context.CancelCauseFunc
	// memory is the instance's.
	memory *linear
	// called says that the guest has called a function of the host's.
	called bool
	// told says that the guest has learned of the end of soft. From then on its
	// calls work until hard, so that it can tidy up.
	told bool

	input, result, output []byte
	stderr                *tail
	handles               handles
	emissions             *rate
	// wake has a value when a handle may have become ready.
	wake chan struct{}

	pumps sync.WaitGroup
	outMu sync.Mutex
	// outErr is what the receiver of the output failed with; pumpErr why a stream
	// couldn't be forwarded.
	outErr, pumpErr error
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// bound makes the contexts. What it returns ends them.
func (c *call) bound(ctx context.Context) func() {
	p := c.plugin
	soft, cancelSoft := context.WithCancelCause(ctx)
	hard, cancelHard := context.WithCancel(context.WithoutCancel(ctx))
	cancelTimeout := context.CancelFunc(func() {})
	if timeout := p.timeout(c.invocation); timeout > 0 {
		err := &sdk.Error{
			Code: sdk.CodeTimeout, Err: &timeUp{fmt.Sprintf("%s takes longer than %s", c.op, timeout)},
			Hint: "give the plugin more time with limits.op_timeout or limits.pull_timeout",
		}
		soft, cancelTimeout = context.WithTimeoutCause(soft, timeout, err)
	}
	c.soft, c.cancelSoft = soft, cancelSoft
	hard, c.memory = withLinear(hard)
	c.hard = context.WithValue(hard, callKey{}, c)
	c.stderr = &tail{ctx: c.hard, most: stderrKept}
	c.handles.call = c
	done := make(chan struct{})
	go func() {
		select {
		case <-soft.Done():
		case <-done:
			return
		}
		timer := time.NewTimer(p.limits.grace(c.op))
		defer timer.Stop()
		select {
		case <-timer.C:
			cancelHard()
		case <-done:
		}
	}()
	p.mu.Lock()
	p.cancel[c] = cancelSoft
	closed := p.closed
	p.mu.Unlock()
	if closed {
		cancelSoft(errClosed)
	}
	return func() {
		close(done)
		cancelSoft(nil)
		cancelTimeout()
		cancelHard()
		p.mu.Lock()
		delete(p.cancel, c)
		p.mu.Unlock()
	}
}

// timeUp is context.DeadlineExceeded with words.
type timeUp struct{ text string }

func (t *timeUp) Error() string        { return t.text }
func (t *timeUp) Is(target error) bool { return target == context.DeadlineExceeded }

func (c *call) encode() error {
	request := abi.Request[any]{Ctx: abi.Context{Op: c.op, Project: c.plugin.options.Project, Config: c.plugin.options.Config}, Args: c.invocation.Args}
	if deadline, ok := c.soft.Deadline(); ok {
		request.Ctx.Timeout = sdk.Duration(max(time.Until(deadline), time.Millisecond))
	}
	if args, ok := c.invocation.Args.(abi.SpecArgs); ok {
		c.plugin.remember(args.Spec)
	}
	var err error
	c.input, err = json.Marshal(request)
	return err
}

// remember notes the secrets of a spec, which are not to be shown.
func (p *Plugin) remember(spec sdk.Spec) {
	for _, name := range spec.SecretEnv {
		p.secrets.add(spec.Env[name])
	}
	if spec.Build == nil {
		return
	}
	for _, name := range spec.Build.SecretArgs {
		p.secrets.add(spec.Build.Args[name])
	}
}

// run runs the operation and sorts out how it ended.
func (c *call) run() (json.RawMessage, error) {
	status, err := c.inInstance()
	var cut error
	if err == nil && status == abi.OK {
		cut = c.forwardAll()
	}
	c.handles.closeAll()
	c.pumps.Wait()
	c.memory.release()
	if err != nil && c.outErr == nil {
		return nil, c.failure(err)
	}
	if c.outErr != nil {
		return nil, c.outErr
	}
	if c.plugin.logger.Enabled(c.hard, levelDebug) && len(c.stderr.kept) > 0 {
		c.plugin.logger.Debug("stderr", "op", string(c.op), "text", c.plugin.clean(c.stderr.String()))
	}
	if status != abi.OK {
		return nil, c.failed(status)
	}
	if err := cmp.Or(c.pumpErr, cut); err != nil {
		return nil, err
	}
	return c.output, nil
}

// inInstance makes an instance, calls the operation and closes the instance.
func (c *call) inInstance() (status abi.Status, err error) {
	p := c.plugin
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithStdout(c.stderr).WithStderr(c.stderr).
		WithSysWalltime().WithSysNanotime().WithRandSource(random{c.hard}).
		WithNanosleep(func(ns int64) { _ = sleep(c.hard, time.Duration(ns)) })
	resumable := p.templates.state != nil
	if p.report.Initializes && !resumable {
		config = config.WithStartFunctions(abi.Initialize)
	}
	instance, err := p.runtime.InstantiateModule(c.hard, p.compiled, config)
	if err != nil {
		return 0, err
	}
	defer func() { _ = instance.Close(context.WithoutCancel(c.hard)) }()
	if resumable {
		if err := c.initialize(instance); err != nil {
			return 0, err
		}
	}
	results, err := instance.ExportedFunction(string(c.op)).Call(c.hard)
	if err != nil {
		return 0, err
	}
	return abi.Status(int32(results[0])), nil //nolint:gosec // the gate has seen that it is an i32
}

// failed is the error of an operation that says that it failed.
func (c *call) failed(status abi.Status) error {
	var document abi.Error
	if len(c.output) > abi.MaxError {
		return c.plugin.protocol(string(c.op), "its error document has %d KiB, more than the %d KiB that are allowed", len(c.output)>>10, abi.MaxError>>10)
	}
	if len(c.output) > 0 {
		if err := json.Unmarshal(c.output, &document); err != nil {
			return c.plugin.protocol(string(c.op), "it failed with status %d, and its error document isn't understood: %s", status, err)
		}
	}
	p := c.plugin
	document.Message, document.Hint, document.Output = p.line(document.Message), p.line(document.Hint), p.clean(document.Output)
	document.Op, document.Resource = p.line(document.Op), p.line(document.Resource)
	var cause error
	if status == abi.Cancelled || status == abi.Timeout {
		cause = context.Cause(c.soft)
	}
	// An operation that its own limit has ended says so, whatever it calls it.
	if own, ok := errors.AsType[*timeUp](cause); ok && own != nil {
		return cause
	}
	if cause != nil && document.Message == "" {
		return cause
	}
	return document.Err(status, cause)
}
