package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// The abilities of a plugin, each an optional interface of the sdk. combine
// puts together those that a module has.
type (
	inspector struct{ *base }
	logger    struct{ *base }
	execer    struct{ *base }
	networker struct{ *base }
	volumer   struct{ *base }
	watcher   struct{ *base }
	preparer  struct{ *base }
)

// invoke runs an operation and decodes its result.
func invoke[Result any](ctx context.Context, b *base, invocation Invocation) (Result, error) {
	var result Result
	document, err := b.invoker.Invoke(ctx, invocation)
	if err != nil {
		return result, err
	}
	if len(document) == 0 {
		document = json.RawMessage("{}")
	}
	if err := json.Unmarshal(document, &result); err != nil {
		return result, b.protocol(invocation.Op, "its result isn't understood: %s", err)
	}
	return result, nil
}

// Inspect implements sdk.Inspector.
func (i inspector) Inspect(ctx context.Context, id string) (sdk.State, error) {
	return i.inspect(ctx, id)
}

// Logs implements sdk.Logger.
func (l logger) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	_, err := invoke[abi.None](ctx, l.base, Invocation{
		Op: abi.Logs, Args: abi.LogsArgs{ID: id, Options: options}, Output: notBefore(options.Since, sink), Unbounded: true,
	})
	return err
}

// notBefore leaves out what is older than since: a plugin that forwards an
// engine's stream can't, and some engines count in whole seconds.
func notBefore(since time.Time, sink func(sdk.LogEntry) error) func(sdk.LogEntry) error {
	if since.IsZero() {
		return sink
	}
	return func(entry sdk.LogEntry) error {
		if entry.Time.Before(since) {
			return nil
		}
		return sink(entry)
	}
}

// Exec implements sdk.Execer.
func (e execer) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	return e.exec(ctx, id, options)
}

func (b *base) exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	if options.Stdin != nil || options.TTY {
		return 0, &sdk.Error{
			Code: sdk.CodeUnsupported, Op: "exec", Err: errors.New("plugins can't give a command input or a terminal"),
			Hint: "run it without: --no-tty, and < /dev/null",
		}
	}
	output := func(entry sdk.LogEntry) error {
		to := options.Stdout
		if entry.Stream == sdk.Stderr {
			to = options.Stderr
		}
		if to == nil {
			to = io.Discard
		}
		_, err := to.Write(entry.Data)
		return err
	}
	result, err := invoke[abi.ExecResult](ctx, b, Invocation{
		Op: abi.Exec, Args: abi.ExecArgs{ID: id, Options: options}, Output: output, Unbounded: true,
	})
	return result.ExitCode, err
}

// ensure makes a network or a volume, one at a time.
func (b *base) ensure(ctx context.Context, invocation Invocation) (created bool, err error) {
	select {
	case b.ground <- struct{}{}:
		defer func() { <-b.ground }()
	case <-ctx.Done(): // which the operation tells
	}
	result, err := invoke[abi.CreatedResult](ctx, b, invocation)
	return result.Created, err
}

// EnsureNetwork implements sdk.Networker.
func (n networker) EnsureNetwork(ctx context.Context, network sdk.Network) (bool, error) {
	return n.ensure(ctx, Invocation{Op: abi.NetworkEnsure, Args: abi.NetworkArgs{Network: network}})
}

// RemoveNetwork implements sdk.Networker.
func (n networker) RemoveNetwork(ctx context.Context, network sdk.Network) error {
	_, err := invoke[abi.None](ctx, n.base, Invocation{Op: abi.NetworkRemove, Args: abi.NetworkArgs{Network: network}})
	return err
}

// EnsureVolume implements sdk.Volumer.
func (v volumer) EnsureVolume(ctx context.Context, volume sdk.Volume) (bool, error) {
	return v.ensure(ctx, Invocation{Op: abi.VolumeEnsure, Args: abi.VolumeArgs{Volume: volume}})
}

// ListVolumes implements sdk.Volumer.
func (v volumer) ListVolumes(ctx context.Context, project string) ([]sdk.Volume, error) {
	result, err := invoke[abi.VolumesResult](ctx, v.base, Invocation{Op: abi.VolumeList, Args: abi.ProjectArgs{Project: project}})
	for i := range result.Volumes {
		oneLine(&result.Volumes[i].Name, &result.Volumes[i].Project)
	}
	return result.Volumes, err
}

// RemoveVolume implements sdk.Volumer.
func (v volumer) RemoveVolume(ctx context.Context, volume sdk.Volume) error {
	_, err := invoke[abi.None](ctx, v.base, Invocation{Op: abi.VolumeRemove, Args: abi.VolumeArgs{Volume: volume}})
	return err
}

// Prepared implements sdk.Preparer.
func (p preparer) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	result, err := invoke[abi.PreparedResult](ctx, p.base, Invocation{Op: abi.Prepared, Args: abi.SpecArgs{Spec: spec}})
	return result.Prepared, err
}

// Prepare implements sdk.Preparer.
func (p preparer) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	emission := func(e abi.Emission) {
		if progress, ok := p.shownProgress(e); ok && report != nil {
			report(progress)
		}
	}
	_, err := invoke[abi.None](ctx, p.base, Invocation{Op: abi.Prepare, Args: abi.SpecArgs{Spec: spec}, Emission: emission})
	return err
}
