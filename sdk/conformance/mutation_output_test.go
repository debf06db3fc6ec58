package conformance

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// outputMutations are those of logs and of commands in containers.
var outputMutations = []mutation{
	// Logs
	{"the streams are merged", "logs/streams", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		e.Stream = sdk.Stdout
		return e
	})},
	{"pieces have no time", "logs/times", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		e.Time = time.Time{}
		return e
	})},
	{"a last line without a line break is lost", "logs/partial", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		if !strings.HasSuffix(string(e.Data), "\n") {
			return nil
		}
		return e
	})},
	{"a line break is added", "logs/partial", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		e.Data = append([]byte(strings.TrimSuffix(string(e.Data), "\n")), '\n')
		return e
	})},
	{"carriage returns are dropped", "logs/strange", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		e.Data = []byte(strings.ReplaceAll(string(e.Data), "\r", ""))
		return e
	})},
	{"bytes are made text", "logs/binary", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		e.Data = []byte(strings.ToValidUTF8(string(e.Data), "?"))
		return e
	})},
	{"long lines are cut", "logs/long-line", printing(func(e *sdk.LogEntry) *sdk.LogEntry {
		e.Data = e.Data[:min(len(e.Data), 16_000)]
		return e
	})},
	{"a piece of much output is lost", "logs/much", func() broken {
		var n atomic.Int64
		return printing(func(e *sdk.LogEntry) *sdk.LogEntry {
			if n.Add(1)%200 == 0 {
				return nil
			}
			return e
		})
	}()},
	{"a piece of much output is lost to who follows it", "logs/much-followed", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		n := 0
		return b.Engine.Logs(ctx, id, o, func(e sdk.LogEntry) error {
			if n++; o.Follow && n%200 == 0 {
				return nil
			}
			return sink(e)
		})
	}}},
	{"tail is ignored", "logs/tail", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		o.Tail = -1
		return b.Engine.Logs(ctx, id, o, sink)
	}}},
	{"since is ignored", "logs/since", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		o.Since = time.Time{}
		return b.Engine.Logs(ctx, id, o, sink)
	}}},
	{"every log is followed", "logs/ends-without-follow", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		o.Follow = true
		return b.Engine.Logs(ctx, id, o, sink)
	}}},
	{"no log is followed", "logs/follow-ends", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		o.Follow = false
		return b.Engine.Logs(ctx, id, o, sink)
	}}},
	{"a followed log goes on after the end", "logs/follow-ends", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		err := b.Engine.Logs(ctx, id, o, sink)
		if err == nil && o.Follow {
			<-ctx.Done()
			return ctx.Err()
		}
		return err
	}}},
	{"the sink's error is wrapped", "logs/sink-fails", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		return b.Engine.Logs(ctx, id, o, func(e sdk.LogEntry) error {
			if err := sink(e); err != nil {
				return fmt.Errorf("sink: %w", err)
			}
			return nil
		})
	}}},
	{"the sink's error is swallowed", "logs/sink-fails-running", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		return b.Engine.Logs(ctx, id, o, func(e sdk.LogEntry) error {
			_ = sink(e)
			return nil
		})
	}}},
	{"a followed log doesn't heed its context", "logs/cancelled", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		return b.Engine.Logs(b.detached(ctx), id, o, sink)
	}}},
	{"the log of what isn't there is empty", "logs/unknown", broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		if err := b.Engine.Logs(ctx, id, o, sink); !sdk.IsCode(err, sdk.CodeNotFound) {
			return err
		}
		return nil
	}}},

	// Exec
	{"the exit code of a command is lost", "exec/exit-code", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		code, err := b.Engine.Exec(ctx, id, o)
		return min(code, 1), err
	}}},
	{"a command's outputs are merged", "exec/output", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		o.Stderr = o.Stdout
		return b.Engine.Exec(ctx, id, o)
	}}},
	{"a command's output is cut", "exec/much", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		if o.Stdout != nil {
			o.Stdout = &short{to: o.Stdout, left: 64 << 10}
		}
		return b.Engine.Exec(ctx, id, o)
	}}},
	{"a command's environment is ignored", "exec/env", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		o.Env = nil
		return b.Engine.Exec(ctx, id, o)
	}}},
	{"a command's user is ignored", "exec/user", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		o.User = ""
		return b.Engine.Exec(ctx, id, o)
	}}},
	{"a command doesn't heed its context", "exec/cancelled", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		return b.Engine.Exec(b.detached(ctx), id, o)
	}}},
	{"a command in an ended container succeeds", "exec/ended", broken{exec: func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
		code, err := b.Engine.Exec(ctx, id, o)
		if sdk.IsCode(err, sdk.CodeExited) {
			err = nil
		}
		return code, err
	}}},
}
