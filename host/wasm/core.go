package wasm

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// imports are the functions of ABI 1.
var imports = map[string]map[string]hostFunction{
	abi.ModuleCore: {
		abi.InputRead: inputRead, abi.ResultRead: resultRead, abi.OutputWrite: outputWrite,
		abi.Log: logLine, abi.Emit: emit, abi.Clock: clock, abi.Sleep: sleepFor,
		abi.IORead: ioRead, abi.IOPoll: ioPoll, abi.IOClose: ioClose,
		abi.StreamWrite: streamWrite, abi.StreamForward: streamForward, abi.LogForward: logForward,
	},
	abi.ModuleExec: {abi.ExecRun: execRun, abi.ExecSpawn: execSpawn, abi.ExecWait: execWait, abi.ExecKill: execKill},
	abi.ModuleHTTP: {abi.HTTPRequestCall: httpRequest},
	abi.ModuleKV:   {abi.KVGet: kvGet, abi.KVSet: kvSet, abi.KVDelete: kvDelete, abi.KVList: kvList},
}

const levelDebug = slog.LevelDebug

var began = time.Now()

// waiting returns the context for a call that may wait, or the status that tells
// the guest, once, that its operation has to end.
func (c *call) waiting() (context.Context, abi.Status) {
	if c.told {
		return c.hard, abi.OK
	}
	if c.soft.Err() != nil {
		return nil, c.tell()
	}
	return c.soft, abi.OK
}

func (c *call) tell() abi.Status {
	c.told = true
	return endStatus(c.soft)
}

func endStatus(ctx context.Context) abi.Status {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || sdk.CodeOf(context.Cause(ctx)) == sdk.CodeTimeout {
		return abi.Timeout
	}
	return abi.Cancelled
}

// interrupted is the status when a wait under ctx was cut short.
func (c *call) interrupted(ctx context.Context) abi.Status {
	if ctx == c.soft {
		return c.tell()
	}
	return endStatus(ctx)
}

// readDocument copies a part of a document to the guest.
func readDocument(document []byte, m api.Module, stack []uint64) {
	size, offset := length(stack[1]), length(stack[2])
	if size == 0 {
		putCount(stack, len(document), abi.OK)
		return
	}
	buf := view(m, stack[0], stack[1])
	putCount(stack, copy(buf, document[min(offset, len(document)):]), abi.OK)
}

func inputRead(c *call, m api.Module, stack []uint64)  { readDocument(c.input, m, stack) }
func resultRead(c *call, m api.Module, stack []uint64) { readDocument(c.result, m, stack) }

func outputWrite(c *call, m api.Module, stack []uint64) {
	data := view(m, stack[0], stack[1])
	if len(data) > c.plugin.limits.Output {
		put(stack, abi.Limit)
		return
	}
	c.output = append(c.output[:0], data...)
	put(stack, abi.OK)
}

var logLevels = map[int32]slog.Level{
	int32(sdk.LogDebug): slog.LevelDebug, int32(sdk.LogInfo): slog.LevelInfo, int32(sdk.LogWarn): slog.LevelWarn, int32(sdk.LogError): slog.LevelError,
}

func logLine(c *call, m api.Module, stack []uint64) {
	level, known := logLevels[api.DecodeI32(stack[0])]
	if !known {
		level = slog.LevelDebug
	}
	data := view(m, stack[1], stack[2])
	// A line that isn't logged still counts: asking costs, too.
	if !c.plugin.mayLog() || !c.plugin.logger.Enabled(c.hard, level) {
		return
	}
	line := string(data[:min(len(data), logSize)])
	if len(data) > logSize {
		line += "…"
	}
	c.plugin.logger.Log(c.hard, level, c.plugin.line(line), "op", string(c.op))
}

// mayLog counts a line, and says of those that were too many how many they were.
func (p *Plugin) mayLog() bool {
	p.logMu.Lock()
	defer p.logMu.Unlock()
	if !p.logs.take() {
		p.dropped++
		return false
	}
	if p.dropped > 0 {
		p.logger.Warn("the plugin logs too much", "lines_left_out", p.dropped)
		p.dropped = 0
	}
	return true
}

func emit(c *call, m api.Module, stack []uint64) {
	data := view(m, stack[0], stack[1])
	if len(data) > emissionSize {
		put(stack, abi.Limit)
		return
	}
	var emission abi.Emission
	if err := json.Unmarshal(data, &emission); err != nil {
		put(stack, abi.Invalid)
		return
	}
	ctx, status := c.waiting()
	if status != abi.OK {
		put(stack, status)
		return
	}
	// Progress is only for the eye, and may get lost; events may not.
	if emission.Type == abi.EmitProgress && !c.emissions.take() {
		put(stack, abi.OK)
		return
	}
	if emission.Type != abi.EmitProgress && c.emissions.wait(ctx) != nil {
		put(stack, c.interrupted(ctx))
		return
	}
	if c.invocation.Emission != nil {
		c.invocation.Emission(emission)
	}
	put(stack, abi.OK)
}

func clock(c *call, _ api.Module, stack []uint64) {
	var ns int64
	switch api.DecodeI32(stack[0]) {
	case abi.ClockWall:
		ns = time.Now().UnixNano()
	case abi.ClockMonotonic:
		ns = int64(time.Since(began))
	default:
		ns = -1
		if deadline, ok := c.soft.Deadline(); ok {
			ns = max(0, int64(time.Until(deadline)))
		}
		if c.soft.Err() != nil {
			ns = 0
		}
	}
	stack[0] = api.EncodeI64(ns)
}

func sleepFor(c *call, _ api.Module, stack []uint64) {
	ns := int64(stack[0]) //nolint:gosec // it is an i64
	ctx, status := c.waiting()
	if status == abi.OK && sleep(ctx, time.Duration(max(0, ns))) != nil {
		status = c.interrupted(ctx)
	}
	put(stack, status)
}

// ready waits until done says true, the time is up (OK, too), or the operation
// is to end.
func (c *call) ready(ctx context.Context, ns int64, done func() bool) abi.Status {
	if done() {
		return abi.OK
	}
	if ns == 0 {
		return abi.OK
	}
	var timeUp <-chan time.Time
	if ns > 0 {
		timer := time.NewTimer(time.Duration(ns))
		defer timer.Stop()
		timeUp = timer.C
	}
	for {
		select {
		case <-c.wake:
			if done() {
				return abi.OK
			}
		case <-timeUp:
			return abi.OK
		case <-ctx.Done():
			return c.interrupted(ctx)
		}
	}
}

func ioRead(c *call, m api.Module, stack []uint64) {
	s, ok := c.handles.open[abi.Handle(api.DecodeI32(stack[0]))].(*stream)
	if !ok || s.forwarded {
		putCount(stack, 0, abi.BadHandle)
		return
	}
	buf := view(m, stack[1], stack[2])
	ctx, status := c.waiting()
	if status != abi.OK {
		putCount(stack, 0, status)
		return
	}
	if status = c.ready(ctx, -1, s.ready); status != abi.OK {
		putCount(stack, 0, status)
		return
	}
	if len(buf) == 0 {
		putCount(stack, 0, abi.Invalid)
		return
	}
	n, err := s.read(buf)
	if err != nil && !errors.Is(err, io.EOF) {
		putCount(stack, 0, c.ioStatus(s.ctx, err))
		return
	}
	putCount(stack, n, abi.OK)
}

// ioStatus is the status for the failure of something that was opened under ctx.
func (c *call) ioStatus(ctx context.Context, err error) abi.Status {
	if ctx.Err() != nil || ended(err) {
		if c.soft.Err() != nil {
			c.told = true
		}
		return endStatus(ctx)
	}
	return abi.IO
}

func ioPoll(c *call, m api.Module, stack []uint64) {
	count := length(stack[1])
	ns := int64(stack[2]) //nolint:gosec // it is an i64
	if count > abi.MaxHandles {
		putCount(stack, 0, abi.Limit)
		return
	}
	numbers := view(m, stack[0], uint64(count)*4) //nolint:gosec // at most 64
	waited := make([]handle, count)
	for i := range waited {
		number := abi.Handle(int32(binary.LittleEndian.Uint32(numbers[4*i:]))) //nolint:gosec // it is an i32
		if waited[i] = c.handles.open[number]; waited[i] == nil {
			putCount(stack, 0, abi.BadHandle)
			return
		}
	}
	ctx, status := c.waiting()
	if status != abi.OK {
		putCount(stack, 0, status)
		return
	}
	status = c.ready(ctx, ns, func() bool {
		for _, x := range waited {
			if x.ready() {
				return true
			}
		}
		return false
	})
	if status != abi.OK {
		putCount(stack, 0, status)
		return
	}
	n := 0
	for i, x := range waited {
		if x.ready() {
			n++
			continue
		}
		binary.LittleEndian.PutUint32(numbers[4*i:], 0)
	}
	putCount(stack, n, abi.OK)
}

func ioClose(c *call, _ api.Module, stack []uint64) {
	number := abi.Handle(api.DecodeI32(stack[0]))
	x := c.handles.open[number]
	if s, ok := x.(*stream); x == nil || ok && s.forwarded {
		put(stack, abi.BadHandle)
		return
	}
	c.handles.remove(number)
	put(stack, abi.OK)
}

func streamWrite(c *call, m api.Module, stack []uint64) {
	kind := sdk.Stdout
	switch api.DecodeI32(stack[0]) {
	case abi.StreamStdout:
	case abi.StreamStderr:
		kind = sdk.Stderr
	default:
		put(stack, abi.Invalid)
		return
	}
	at := time.Now()
	if ns := int64(stack[1]); ns != 0 { //nolint:gosec // it is an i64
		at = time.Unix(0, ns)
	}
	data := view(m, stack[2], stack[3])
	if _, status := c.waiting(); status != abi.OK {
		put(stack, status)
		return
	}
	if c.send(kind, at, data) != nil {
		put(stack, c.tell())
		return
	}
	put(stack, abi.OK)
}

func streamForward(c *call, _ api.Module, stack []uint64) {
	s, ok := c.handles.open[abi.Handle(api.DecodeI32(stack[0]))].(*stream)
	if !ok || s.forwarded {
		put(stack, abi.BadHandle)
		return
	}
	kind := api.DecodeI32(stack[1])
	switch kind &^ abi.StreamTimestamps {
	case abi.StreamStdout, abi.StreamStderr, abi.StreamDocker:
		c.forward(s, kind)
		put(stack, abi.OK)
	default:
		put(stack, abi.Invalid)
	}
}
