package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Options say what a plugin is given.
type Options struct {
	// Name is what the user calls the plugin; its manifest's name by default.
	Name string
	// Project is the project that it is opened for; may be empty.
	Project string
	Grants  Grants
	Limits  Limits
	// Config is the user's configuration of the plugin, a JSON object; may be
	// empty.
	Config json.RawMessage
	// CacheDir is where compiled modules are kept; nowhere if it is empty. Whoever
	// can write there can run code in this program.
	CacheDir string
	// DataDir is where the stores of plugins are, and the ids of containers of
	// those that can't list them. Without one, nothing outlives the program.
	DataDir string
	// Version is that of the program.
	Version string
	// Logger gets what the plugin logs; nothing by default.
	Logger *slog.Logger
	// Unhardened leaves the module's code as it is, for measuring what hardening
	// costs. Code without loops then doesn't meet its deadline.
	Unhardened bool
}

// Invoker runs the operations of a plugin, wherever it lives.
type Invoker interface {
	// Invoke runs one operation and returns its result. It ends a grace period
	// after ctx at the latest.
	Invoke(ctx context.Context, invocation Invocation) (json.RawMessage, error)
	// Close ends what runs and frees what it holds.
	Close() error
}

// Invocation is an operation to run.
type Invocation struct {
	Op   abi.Operation
	Args any
	// Output gets what the operation streams; nil discards it. It isn't called
	// concurrently, and its failure ends the operation with just that error.
	Output func(sdk.LogEntry) error
	// Emission gets what the operation says while it runs; nil discards it.
	Emission func(abi.Emission)
	// Unbounded says that only the caller's context bounds the operation.
	Unbounded bool
	// Extra is time that the operation gets beside its usual one.
	Extra time.Duration
}

// Plugin is a module that is compiled and ready to run, in this process. It is
// safe for concurrent use, and has to be closed.
type Plugin struct {
	name     string
	report   *module.Report
	options  Options
	limits   Limits
	logger   *slog.Logger
	secrets  secrets
	machine  *machine.Machine
	store    *store
	logs     *rate
	logMu    sync.Mutex
	dropped  int
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	// templates spare instances their initialisation.
	templates templates
	slots     chan struct{}
	// places are those of programs that have the engine work.
	places chan struct{}

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	cancel  map[*call]context.CancelCauseFunc
}

var _ Invoker = (*Plugin)(nil)

// Load reads, judges and compiles a module. Its failures are [*Failure]s.
func Load(ctx context.Context, binary []byte, options Options) (*Plugin, error) {
	name := options.Name
	if name == "" {
		name = "(unnamed)"
	}
	prepared, err := prepare(binary, options.Unhardened)
	if err != nil {
		return nil, refusal(name, err)
	}
	report := prepared.Report
	if options.Name == "" {
		name = report.Manifest.Name
	}
	if err := options.Grants.Check(report.Manifest.Requests); err != nil {
		return nil, &Failure{Kind: Refused, Plugin: name, Err: err}
	}
	p := &Plugin{
		name: name, report: report, options: options, limits: options.Limits.withDefaults(), logger: options.Logger,
		logs: newRate(logRate, logBurst), cancel: map[*call]context.CancelCauseFunc{},
	}
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	p.logger = p.logger.With("plugin", name)
	p.slots = make(chan struct{}, p.limits.Operations)
	p.places = make(chan struct{}, places)
	p.machine = machineOf(options, p.limits.Grace)
	p.store = openStore(p.storePath(), p.storeLimit())
	p.templates.state = prepared.State
	if err := p.compile(ctx, prepared.Code); err != nil {
		return nil, err
	}
	return p, nil
}

// machineOf is the machine as far as it is granted. Programs are killed before
// the operation that runs them is.
func machineOf(options Options, grace time.Duration) *machine.Machine {
	addresses := map[string]string{}
	for _, grant := range options.Grants.HTTP {
		addresses[grant.Endpoint] = grant.Address
	}
	return machine.New(machine.Options{Endpoints: addresses, Patience: min(time.Second, grace/2)})
}

func prepare(binary []byte, unhardened bool) (*module.Prepared, error) {
	if !unhardened {
		return module.Prepare(binary)
	}
	report, err := module.Inspect(binary)
	return &module.Prepared{Report: report, Code: binary}, err
}

// Report is what is known of the module without running it.
func (p *Plugin) Report() *module.Report { return p.report }

// Name is what the user calls the plugin.
func (p *Plugin) Name() string { return p.name }

// storeLimit is the size of the store: what is requested and granted.
func (p *Plugin) storeLimit() int {
	requested := p.report.Manifest.Requests.KV
	if requested == nil {
		return 0
	}
	return min(requested.Bytes, p.options.Grants.KV, abi.MaxKV)
}

func (p *Plugin) storePath() string {
	if p.options.DataDir == "" {
		return ""
	}
	return filepath.Join(p.options.DataDir, fileName(p.name), fileName(p.options.Project), "store.json")
}

// compile compiles the module within its budget.
func (p *Plugin) compile(ctx context.Context, code []byte) error {
	result := make(chan error, 1)
	budget, cancel := context.WithTimeout(ctx, p.limits.Compile)
	defer cancel()
	abandoned := make(chan struct{})
	go func() {
		err := p.compileNow(budget, code)
		result <- err
		select {
		case <-abandoned:
			p.free()
		default:
		}
	}()
	select {
	case err := <-result:
		if err != nil {
			p.free()
			return p.compileFailure(ctx, budget, err)
		}
		return nil
	case <-budget.Done():
	}
	// The compiler looks at its context between two functions only. It is given
	// up, and cleans up behind itself.
	close(abandoned)
	select {
	case err := <-result:
		if err == nil {
			p.free()
		}
	default:
	}
	return p.compileFailure(ctx, budget, budget.Err())
}

func (p *Plugin) compileFailure(ctx, budget context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case budget.Err() != nil:
		return &Failure{Kind: Refused, Plugin: p.name, Err: because(sdk.CodeTimeout, "give it more time with limits.compile, or a smaller plugin", "compiling it takes longer than %s", p.limits.Compile)}
	}
	return refusal(p.name, fmt.Errorf("it can't be compiled: %w", err))
}

const features = featuresOfPlugins

func (p *Plugin) compileNow(ctx context.Context, code []byte) error {
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(features).
		WithCloseOnContextDone(true).
		WithMemoryLimitPages(uint32(p.limits.Memory / pageSize)). //nolint:gosec // at most 1024
		WithDebugInfoEnabled(false)
	build := func(cache wazero.CompilationCache) error {
		p.cache = cache
		if cache != nil {
			config = config.WithCompilationCache(cache)
		}
		p.runtime = wazero.NewRuntimeWithConfig(ctx, config)
		if err := p.link(ctx); err != nil {
			return err
		}
		compiled, err := p.runtime.CompileModule(withWorkers(ctx), code)
		p.compiled = compiled
		return err
	}
	return p.withCache(code, build)
}

// link offers the host's functions.
func (p *Plugin) link(ctx context.Context) error {
	if p.report.Needs(abi.ModuleWASI) {
		if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
			return err
		}
	}
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range abi.Functions() {
		if !p.report.Needs(f.Module) {
			continue
		}
		if builders[f.Module] == nil {
			builders[f.Module] = p.runtime.NewHostModuleBuilder(f.Module)
		}
		builders[f.Module].NewFunctionBuilder().
			WithGoModuleFunction(imports[f.Module][f.Name], valueTypes(f.Params), valueTypes(f.Results)).Export(f.Name)
	}
	for _, builder := range builders {
		if _, err := builder.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// free gives back what the engine holds.
func (p *Plugin) free() {
	ctx := context.Background()
	if p.runtime != nil {
		_ = p.runtime.Close(ctx)
	}
	if p.cache != nil {
		_ = p.cache.Close(ctx)
	}
	p.templates.close()
	_ = p.machine.Close()
}

// Close ends the operations that run, and waits for them.
func (p *Plugin) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	for _, cancel := range p.cancel {
		cancel(errClosed)
	}
	p.mu.Unlock()
	p.running.Wait()
	p.free()
	return nil
}

var errClosed = sdk.Errorf(sdk.CodeCancelled, "", "the plugin is being closed")

// timeout is the time for an operation; 0 is no bound.
func (p *Plugin) timeout(invocation Invocation) time.Duration {
	switch {
	case invocation.Unbounded:
		return 0
	case invocation.Op == abi.Prepare, invocation.Op == abi.Start && !p.report.Can(abi.Prepare):
		return p.limits.PullTimeout + invocation.Extra
	}
	return p.limits.OpTimeout + invocation.Extra
}
