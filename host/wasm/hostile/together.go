package hostile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// soon is when a caller loses patience.
const soon = 50 * time.Millisecond

// abandoned is an attack that goes on while its caller doesn't wait any more.
func abandoned(name string, kind wasm.Kind, build func(m *wasmtest.Module) wasmtest.Code) Attack {
	return Attack{
		Group: "cancellation", Name: name, kind: kind, code: sdk.CodeCancelled, cancelled: soon, announces: true, options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			log := m.Import(abi.ModuleCore, abi.Log)
			// Behind all that an attack puts into the first page.
			m.Data(60<<10, []byte(announcement))
			code := build(m)
			return join(c32(int32(sdk.LogError)), c32(60<<10), c32(int32(len(announcement))), wasmtest.Call(log), code)
		},
	}
}

var cancelAttacks = []Attack{
	abandoned("of a loop", timeout, func(*wasmtest.Module) wasmtest.Code { return join(wasmtest.Forever(), c32(0)) }),
	abandoned("of a sleep", "", func(m *wasmtest.Module) wasmtest.Code {
		return join(wasmtest.Const64(1<<60), wasmtest.Call(m.Import(abi.ModuleCore, abi.Sleep)))
	}),
	abandoned("of a poll", "", func(m *wasmtest.Module) wasmtest.Code {
		return join(c32(0), c32(0), c32(0), wasmtest.Const64(-1), wasmtest.Call(m.Import(abi.ModuleCore, abi.IOPoll)), wasmtest.I32Sub)
	}),
	abandoned("that isn't listened to", timeout, func(m *wasmtest.Module) wasmtest.Code {
		sleep := m.Import(abi.ModuleCore, abi.Sleep)
		return join(wasmtest.Forever(wasmtest.Const64(1<<60), wasmtest.Call(sleep), wasmtest.Drop), c32(0))
	}),
	abandoned("answered with a success", "", func(m *wasmtest.Module) wasmtest.Code {
		sleep := m.Import(abi.ModuleCore, abi.Sleep)
		return join(wasmtest.Const64(1<<60), wasmtest.Call(sleep), wasmtest.Drop, c32(int32(abi.Cancelled)))
	}),
	func() Attack {
		a := abandoned("of a program", "", asks(abi.ModuleExec, abi.ExecRun, abi.ExecRequest{Program: "sh", Args: []string{"-c", "trap '' TERM; sleep 60 & sleep 60"}}))
		a.requests, a.grants = everything, shell
		return a
	}(),
	func() Attack {
		a := abandoned("of a request", "", ask)
		a.requests, a.grants = everything, endpoint
		a.before = func(s *stage) error {
			return s.serveRaw(func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		}
		return a
	}(),
	{
		Group: "cancellation", Name: "before it begins", code: sdk.CodeCancelled, options: slow,
		build: func(*wasmtest.Module) wasmtest.Code { return join(wasmtest.Forever(), c32(0)) },
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return start(ctx, r)
		},
	},
}

// together runs an attack n times at the same time, and returns one of the
// errors; all have to have the same code.
func together(n int, attack func() error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = attack() })
	}
	all.Wait()
	for _, err := range errs[1:] {
		if sdk.CodeOf(err) != sdk.CodeOf(errs[0]) {
			return fmt.Errorf("one fails with %w, another with %w", cmp.Or(errs[0], errNone), cmp.Or(err, errNone))
		}
	}
	return errs[0]
}

// togetherAttacks are many at the same time.
var togetherAttacks = []Attack{
	{
		Group: "many at once", Name: "loops", kind: timeout, options: wasm.Options{Limits: wasm.Limits{Operations: 16}},
		build: func(*wasmtest.Module) wasmtest.Code { return join(wasmtest.Forever(), c32(0)) },
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			return together(16, func() error { return start(ctx, r) })
		},
	},
	{
		Group: "many at once", Name: "crashes", kind: trap, options: slow,
		build: func(*wasmtest.Module) wasmtest.Code { return wasmtest.Unreachable },
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			return together(200, func() error { return start(ctx, r) })
		},
	},
	{
		Group: "many at once", Name: "of which a third is cancelled", options: wasm.Options{Limits: wasm.Limits{OpTimeout: patient, Operations: 4}},
		build: func(m *wasmtest.Module) wasmtest.Code { return answer(m, `{"id":"c1"}`, 0) },
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			errs := make([]error, 100)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() {
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					if i%3 == 0 {
						defer time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel).Stop()
					}
					if err := start(ctx, r); !sdk.IsCode(err, sdk.CodeCancelled) {
						errs[i] = err
					}
				})
			}
			all.Wait()
			return errors.Join(errs...)
		},
	},
	{
		Group: "many at once", Name: "and the plugin is closed", options: slow, code: sdk.CodeCancelled,
		build: func(m *wasmtest.Module) wasmtest.Code {
			return join(wasmtest.Const64(1<<60), wasmtest.Call(m.Import(abi.ModuleCore, abi.Sleep)))
		},
		// The plugin that is closed is another one, since this one has to work on.
		run: func(ctx context.Context, s *stage, _ wasm.Runtime) error {
			other, err := wasm.Open(ctx, Attack{build: func(m *wasmtest.Module) wasmtest.Code {
				return join(wasmtest.Const64(1<<60), wasmtest.Call(m.Import(abi.ModuleCore, abi.Sleep)))
			}}.Binary(), wasm.Options{Limits: slow.Limits})
			if err != nil {
				return err
			}
			defer time.AfterFunc(soon, func() { _ = other.Close() }).Stop()
			err = together(20, func() error { return start(ctx, other) })
			if again := start(ctx, other); !sdk.IsCode(again, sdk.CodeCancelled) {
				return fmt.Errorf("after it was closed: %w", cmp.Or(again, errNone))
			}
			return err
		},
	},
	{
		Group: "many at once", Name: "writers of one key", requests: everything, options: slow, code: sdk.CodeConflict,
		open: func(ctx context.Context, s *stage, binary []byte, options wasm.Options) (wasm.Runtime, error) {
			options.Grants, options.DataDir = wasm.Grants{KV: 1000}, s.path("data")
			return wasm.Open(ctx, binary, options)
		},
		build: func(m *wasmtest.Module) wasmtest.Code {
			set := m.Import(abi.ModuleKV, abi.KVSet)
			return join(c32(0), c32(1), c32(8), c32(100), wasmtest.Call(set), wasmtest.If(wasmtest.Unreachable), failWith)
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			return together(20, func() error { return start(ctx, r) })
		},
	},
}
