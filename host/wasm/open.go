package wasm

import (
	"context"
	"io"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// Runtime is a plugin as a runtime. It has to be closed.
//
// Beside what is here it implements Inspector, Logger, Execer, Networker,
// Volumer, Watcher and Preparer exactly if the module exports the operations for
// it: so a type assertion tells what it can do. What is here the host makes up
// for where the module can't: it remembers ids for List and Remove; without
// Validate there are no objections, without PublishedPorts no ports are known;
// SetRestart and Env fail with CodeUnsupported.
type Runtime interface {
	sdk.Runtime
	sdk.Pinger
	sdk.Validator
	sdk.Lister
	sdk.Remover
	sdk.Restarter
	sdk.EnvReader
	sdk.PortFinder
	io.Closer
	// Report is what is known of the module without running it.
	Report() *module.Report
}

// Open loads a module and returns it as a runtime.
func Open(ctx context.Context, binary []byte, options Options) (Runtime, error) {
	plugin, err := Load(ctx, binary, options)
	if err != nil {
		return nil, err
	}
	return Adapt(plugin, plugin.report, options, plugin.clean), nil
}

// Adapt makes a runtime of a plugin, wherever it lives. clean makes its texts
// fit to be shown.
func Adapt(invoker Invoker, report *module.Report, options Options, clean func(string) string) Runtime {
	name := options.Name
	if name == "" {
		name = report.Manifest.Name
	}
	b := &base{invoker: invoker, name: name, report: report, clean: clean, ids: openIDs(options.DataDir, name, options.Project), names: directory.New(), ground: make(chan struct{}, 1)}
	return combine(b, abilitiesOf(report))
}

// The abilities that decide about the interfaces, as bits.
const (
	canInspect = 1 << iota
	canLog
	canExec
	canNetwork
	canVolume
	canWatch
	canPrepare
)

func abilitiesOf(report *module.Report) int {
	all := 0
	for bit, operation := range map[int]abi.Operation{
		canInspect: abi.Inspect, canLog: abi.Logs, canExec: abi.Exec, canNetwork: abi.NetworkEnsure,
		canVolume: abi.VolumeEnsure, canWatch: abi.Events, canPrepare: abi.Prepare,
	} {
		if report.Can(operation) {
			all |= bit
		}
	}
	return all
}

//go:generate go run ./generate combine.go
