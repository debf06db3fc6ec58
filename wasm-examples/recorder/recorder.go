package main

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// wrapped is what a recorder needs of the runtime inside.
type wrapped interface {
	sdk.Runtime
	sdk.Inspector
	sdk.Lister
	sdk.Remover
	sdk.Logger
	sdk.Networker
	sdk.Validator
}

// recorder passes operations on and records them, or replays them.
type recorder struct {
	inner  wrapped
	record record
	replay bool
}

var _ wrapped = (*recorder)(nil)

// pass makes an operation on subject, or replays it.
func pass[Result any](r *recorder, op abi.Operation, subject string, args any, do func() (Result, error)) (Result, error) {
	if r.replay {
		return replayed[Result](r.record, op, subject)
	}
	began := time.Now()
	result, err := do()
	return result, keep(r.record, entry{Op: op, Subject: subject, Began: began, Took: sdk.Duration(time.Since(began))}, args, result, err)
}

// Start implements sdk.Runtime.
func (r *recorder) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	result, err := pass(r, abi.Start, spec.Name, abi.SpecArgs{Spec: masked(spec)}, func() (abi.StartResult, error) {
		id, err := r.inner.Start(ctx, spec)
		return abi.StartResult{ID: id}, err
	})
	return result.ID, err
}

// Stop implements sdk.Runtime.
func (r *recorder) Stop(ctx context.Context, id string, grace time.Duration) error {
	_, err := pass(r, abi.Stop, id, abi.StopArgs{ID: id, Grace: sdk.Duration(grace)}, func() (abi.None, error) {
		return abi.None{}, r.inner.Stop(ctx, id, grace)
	})
	return err
}

// WaitHealthy implements sdk.Runtime.
func (r *recorder) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	result, err := pass(r, abi.WaitHealthy, id, abi.WaitHealthyArgs{ID: id, Healthcheck: check}, func() (abi.StateResult, error) {
		state, err := r.inner.WaitHealthy(ctx, id, check)
		return abi.StateResult{State: state}, err
	})
	return result.State, err
}

// Inspect implements sdk.Inspector.
func (r *recorder) Inspect(ctx context.Context, id string) (sdk.State, error) {
	result, err := pass(r, abi.Inspect, id, abi.IDArgs{ID: id}, func() (abi.StateResult, error) {
		state, err := r.inner.Inspect(ctx, id)
		return abi.StateResult{State: state}, err
	})
	return result.State, err
}

// List implements sdk.Lister.
func (r *recorder) List(ctx context.Context, project string) ([]sdk.State, error) {
	result, err := pass(r, abi.List, project, abi.ProjectArgs{Project: project}, func() (abi.StatesResult, error) {
		states, err := r.inner.List(ctx, project)
		return abi.StatesResult{States: states}, err
	})
	return result.States, err
}

// Remove implements sdk.Remover.
func (r *recorder) Remove(ctx context.Context, id string) error {
	_, err := pass(r, abi.Remove, id, abi.IDArgs{ID: id}, func() (abi.None, error) {
		return abi.None{}, r.inner.Remove(ctx, id)
	})
	return err
}

// Validate implements sdk.Validator.
func (r *recorder) Validate(ctx context.Context, spec sdk.Spec) error {
	_, err := pass(r, abi.Validate, spec.Name, abi.SpecArgs{Spec: masked(spec)}, func() (abi.None, error) {
		return abi.None{}, r.inner.Validate(ctx, spec)
	})
	return err
}

// EnsureNetwork implements sdk.Networker.
func (r *recorder) EnsureNetwork(ctx context.Context, network sdk.Network) (bool, error) {
	result, err := pass(r, abi.NetworkEnsure, network.Name, abi.NetworkArgs{Network: network}, func() (abi.CreatedResult, error) {
		created, err := r.inner.EnsureNetwork(ctx, network)
		return abi.CreatedResult{Created: created}, err
	})
	return result.Created, err
}

// RemoveNetwork implements sdk.Networker.
func (r *recorder) RemoveNetwork(ctx context.Context, network sdk.Network) error {
	_, err := pass(r, abi.NetworkRemove, network.Name, abi.NetworkArgs{Network: network}, func() (abi.None, error) {
		return abi.None{}, r.inner.RemoveNetwork(ctx, network)
	})
	return err
}

// keptOutput is how much of a log is recorded, in bytes.
const keptOutput = 16 << 10

// Logs implements sdk.Logger. Of what is printed the beginning is recorded.
func (r *recorder) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	kept := 0
	entries, err := pass(r, abi.Logs, id, abi.LogsArgs{ID: id, Options: options}, func() ([]sdk.LogEntry, error) {
		var entries []sdk.LogEntry
		err := r.inner.Logs(ctx, id, options, func(e sdk.LogEntry) error {
			if kept += len(e.Data); kept <= keptOutput {
				copied := e
				copied.Data = append([]byte(nil), e.Data...)
				entries = append(entries, copied)
			}
			return sink(e)
		})
		return entries, err
	})
	if !r.replay {
		return err
	}
	for _, e := range entries {
		if err := sink(e); err != nil {
			return err
		}
	}
	return err
}

// masked is a spec without its secrets: a record is read by people.
func masked(spec sdk.Spec) sdk.Spec {
	env := map[string]string{}
	for name, value := range spec.Env {
		env[name] = value
	}
	for _, name := range spec.SecretEnv {
		env[name] = "***"
	}
	spec.Env = env
	if spec.Build == nil || len(spec.Build.SecretArgs) == 0 {
		return spec
	}
	build := *spec.Build
	build.Args = map[string]string{}
	for name, value := range spec.Build.Args {
		build.Args[name] = value
	}
	for _, name := range build.SecretArgs {
		build.Args[name] = "***"
	}
	spec.Build = &build
	return spec
}
