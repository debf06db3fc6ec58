package hostile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

const (
	// usualTime and usualGrace are the deadline of an attack, and the time from
	// which on its instance is stopped.
	usualTime  = 300 * time.Millisecond
	usualGrace = 200 * time.Millisecond
	// patient is the deadline of attacks that end by themselves, and of what has to
	// work afterwards: a busy machine takes its time.
	patient = time.Minute
)

// Attack is one hostile module and what is done with it.
type Attack struct {
	// Group is what it is about; attacks of a group differ in details.
	Group, Name string

	requests abi.Requests
	options  wasm.Options
	// grants are those that depend on where the attack is staged.
	grants func(s *stage) wasm.Grants
	// build adds functions to the module and returns the code of ls_start; exports
	// is for other operations.
	build   func(m *wasmtest.Module) wasmtest.Code
	exports func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code
	// binary is the module, where build can't make it.
	binary func() []byte
	// before prepares the stage.
	before func(s *stage) error
	// loads says that loading is the attack already. open is how it is loaded,
	// wasm.Open by default.
	loads bool
	open  func(ctx context.Context, s *stage, binary []byte, options wasm.Options) (wasm.Runtime, error)
	// run is what is called; start by default.
	run func(ctx context.Context, s *stage, r wasm.Runtime) error
	// cancelled is when the caller loses patience, after the module has logged
	// that it has begun if it announces that; never by default.
	cancelled time.Duration
	announces bool

	// kind is the class of the failure, or code that of an error that isn't one.
	kind wasm.Kind
	code sdk.Code
	// says has to be in the error.
	says string
	// after says what must not have happened.
	after func(s *stage, err error) error
}

// Outcome is how an attack went.
type Outcome struct {
	// Wrong is what the host did wrong; nil if it survived.
	Wrong error
	// Overrun is how much later than its deadline the attack ended.
	Overrun time.Duration
	// Stall is the longest time for which another goroutine couldn't run.
	Stall time.Duration
	// Grown is by how much the program's memory grew at most, in bytes; 0 where
	// the system doesn't tell.
	Grown int64
}

// Attacks are all, in the order of their groups.
func Attacks() []Attack {
	return slices.Concat(
		loopAttacks, memoryAttacks, tableAttacks, crashAttacks, pointerAttacks, answerAttacks, stateAttacks, numberAttacks, handleAttacks,
		wasiAttacks, floodAttacks, streamAttacks, eventAttacks, storeAttacks, execAttacks, httpAttacks(), textAttacks, cancelAttacks,
		togetherAttacks, gateAttacks, bombAttacks, cacheAttacks, trustAttacks,
	)
}

// Groups are the groups of attacks, in their order.
func Groups(attacks []Attack) []string {
	var groups []string
	for _, a := range attacks {
		if !slices.Contains(groups, a.Group) {
			groups = append(groups, a.Group)
		}
	}
	return groups
}

// Binary is the module.
func (a Attack) Binary() []byte {
	if a.binary != nil {
		return a.binary()
	}
	m := wasmtest.New("hostile", a.requests)
	operations := map[abi.Operation]wasmtest.Code{}
	if a.exports != nil {
		operations = a.exports(m)
	}
	if a.build != nil {
		operations[abi.Start] = a.build(m)
	}
	m.Core(operations)
	return m.Bytes()
}

// Try stages the attack.
func (a Attack) Try(ctx context.Context) Outcome {
	s, err := newStage()
	if err != nil {
		return Outcome{Wrong: err}
	}
	defer s.close()
	if a.before != nil {
		if err := a.before(s); err != nil {
			return Outcome{Wrong: err}
		}
	}
	options, binary := a.optionsOn(s), a.Binary()
	if a.open == nil {
		a.open = func(ctx context.Context, _ *stage, binary []byte, options wasm.Options) (wasm.Runtime, error) {
			return wasm.Open(ctx, binary, options)
		}
	}
	if a.run == nil {
		a.run = func(ctx context.Context, _ *stage, r wasm.Runtime) error { return start(ctx, r) }
	}
	var r wasm.Runtime
	if !a.loads {
		if r, err = a.open(ctx, s, binary, options); err != nil {
			return Outcome{Wrong: fmt.Errorf("it can't be loaded: %w", err)}
		}
	}
	outcome, err := a.measured(ctx, s, options.Limits, func(ctx context.Context) error {
		if a.loads {
			var err error
			if r, err = a.open(ctx, s, binary, options); err != nil {
				return err
			}
		}
		return a.run(ctx, s, r)
	})
	outcome.Wrong = errors.Join(a.check(err), a.checkAfter(s, err), worksOn(ctx, r))
	if r != nil {
		outcome.Wrong = errors.Join(outcome.Wrong, r.Close())
	}
	return outcome
}

func (a Attack) optionsOn(s *stage) wasm.Options {
	options := a.options
	options.Logger = s.logger
	options.Limits.OpTimeout = cmp.Or(options.Limits.OpTimeout, usualTime)
	options.Limits.PullTimeout, options.Limits.Grace = options.Limits.OpTimeout, usualGrace
	options.Limits.Compile = cmp.Or(options.Limits.Compile, patient)
	if a.grants != nil {
		options.Grants = a.grants(s)
	}
	return options
}

// measured runs the attack and measures what it does to the rest of the program.
func (a Attack) measured(ctx context.Context, s *stage, limits wasm.Limits, attack func(context.Context) error) (Outcome, error) {
	deadline := limits.OpTimeout
	if a.loads {
		deadline = limits.Compile
	}
	grown := watchMemory()
	stalled := watchStalls()
	began := time.Now()
	ended := make(chan struct{})
	var waiting sync.WaitGroup
	if a.cancelled > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		deadline = a.cancelled
		waiting.Go(func() {
			if a.announces {
				select {
				case <-s.logged.begun:
					began = time.Now()
				case <-ended:
				}
			}
			select {
			case <-time.After(a.cancelled):
				cancel()
			case <-ended:
			}
		})
	}
	err := attack(ctx)
	close(ended)
	waiting.Wait()
	return Outcome{Overrun: max(0, time.Since(began)-deadline), Stall: stalled(), Grown: grown()}, err
}

func start(ctx context.Context, r wasm.Runtime) error {
	_, err := r.Start(ctx, sdk.Spec{Project: "shop", Resource: "db", Name: "shop.db", Image: "db:1"})
	return err
}

// check compares the error with the class that it should have.
func (a Attack) check(err error) error {
	failure, failed := errors.AsType[*wasm.Failure](err)
	switch {
	case a.kind == "" && a.code == "" && err != nil:
		return fmt.Errorf("error = %w, want none", err)
	case a.kind != "" && !failed:
		return fmt.Errorf("error = %w, want a failure of the kind %s", cmp.Or(err, errNone), a.kind)
	case a.kind != "" && failure.Kind != a.kind:
		return fmt.Errorf("failure = %s (%w), want %s", failure.Kind, err, a.kind)
	case a.code != "" && sdk.CodeOf(err) != a.code:
		return fmt.Errorf("code = %q (%w), want %q", sdk.CodeOf(err), cmp.Or(err, errNone), a.code)
	case a.says != "" && (err == nil || !strings.Contains(err.Error(), a.says)):
		return fmt.Errorf("error = %w, want %q in it", cmp.Or(err, errNone), a.says)
	}
	return nil
}

var errNone = errors.New("none")

func (a Attack) checkAfter(s *stage, err error) error {
	if a.after == nil {
		return nil
	}
	return a.after(s, err)
}

// worksOn says whether the same plugin, if it was loaded, and another one still
// do what they should.
func worksOn(ctx context.Context, r wasm.Runtime) error {
	var err error
	if r != nil {
		// A busy machine may be slower than the attack's deadline.
		for range 4 {
			if err = r.Stop(ctx, "x", 0); err == nil {
				break
			}
		}
	}
	if err != nil {
		return fmt.Errorf("the plugin's other operations don't work any more: %w", err)
	}
	other, err := wasm.Open(ctx, honest(), wasm.Options{})
	if err == nil {
		err = errors.Join(start(ctx, other), other.Close())
	}
	if err != nil {
		return fmt.Errorf("another plugin doesn't work any more: %w", err)
	}
	return nil
}

// honest is a plugin that does what it should.
func honest() []byte {
	answer := `{"id":"c1"}`
	return Attack{build: func(m *wasmtest.Module) wasmtest.Code {
		write := m.Import(abi.ModuleCore, abi.OutputWrite)
		m.Data(1024, []byte(answer))
		return join(c32(1024), c32(int32(len(answer))), wasmtest.Call(write))
	}}.Binary()
}
