package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

const secret = "hunter2-hunter2"

// steers is a text that would clear the screen, set the title, hide what was
// before it and turn around what comes.
const steers = "\x1b[2Jall is well\r\x1b]0;x\x07 \u009b31m\u202e"

// spoken is an attack by texts: it logs a line, writes to stderr and fails with
// an error document that has it everywhere.
func spoken(group, name, line string, harmless func(text string) error) Attack {
	document, err := json.Marshal(abi.Error{Message: line, Op: line, Resource: line, Hint: line, Output: line})
	if err != nil {
		panic(err)
	}
	return Attack{
		Group: group, Name: name, code: sdk.CodeConflict, options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			log := m.Import(abi.ModuleCore, abi.Log)
			output := m.Import(abi.ModuleCore, abi.OutputWrite)
			write := wasiImport(m, "fd_write", 4)
			m.Data(0, []byte{0, 4, 0, 0, byte(len(line)), byte(len(line) >> 8), 0, 0}) // one vector: 1024
			m.Data(1024, []byte(line))
			m.Data(8192, document)
			return join(c32(2), c32(1024), c32(int32(len(line))), wasmtest.Call(log),
				c32(2), c32(0), c32(1), c32(8), wasmtest.Call(write), wasmtest.Drop,
				c32(8192), c32(int32(len(document))), wasmtest.Call(output), wasmtest.Drop, failWith)
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			_, err := r.Start(ctx, sdk.Spec{Name: "x", Env: map[string]string{"PW": secret}, SecretEnv: []string{"PW"}})
			return err
		},
		after: func(s *stage, err error) error {
			e, ok := errors.AsType[*sdk.Error](err)
			if !ok {
				return errors.New("the error has no code")
			}
			for what, text := range map[string]string{"log": s.logged.String(), "message": e.Error(), "operation": e.Op, "resource": e.Resource, "hint": e.Hint, "output": e.Output} {
				if !strings.Contains(text, "all is well") {
					return fmt.Errorf("the %s lacks the words: %q", what, text)
				}
				if err := harmless(text); err != nil {
					return fmt.Errorf("%s: %w", what, err)
				}
			}
			return nil
		},
	}
}

func obeysNobody(text string) error {
	if strings.ContainsAny(text, "\x1b\x07\r\u009b\u202e") || strings.Contains(text, `\x1b[`) || strings.Contains(text, `\u001b`) {
		return fmt.Errorf("a terminal would obey %q", text)
	}
	return nil
}

func hidesTheSecret(text string) error {
	if strings.Contains(text, secret) {
		return fmt.Errorf("it shows the secret: %q", text)
	}
	return nil
}

var textAttacks = []Attack{
	spoken("terminal escape", "in every text", steers, obeysNobody),
	spoken("terminal escape", "cut by bytes that are no text", "all is well\x1b\xff[2J\xc2", obeysNobody),
	spoken("secret in a text", "as it is", "all is well "+secret, hidesTheSecret),
	spoken("secret in a text", "with something between its letters", "all is well hunter2\r-hunter2", hidesTheSecret),
	spoken("secret in a text", "twice, one in the other", "all is well hunter2-hunter2-hunter2", hidesTheSecret),
	{
		Group: "secret in a text", Name: "in the last words before a crash", kind: trap, says: "***", options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := wasiImport(m, "fd_write", 4)
			words := "panic: the password is " + secret + "\n"
			m.Data(0, []byte{0, 4, 0, 0, byte(len(words)), 0, 0, 0})
			m.Data(1024, []byte(words))
			return join(c32(2), c32(0), c32(1), c32(8), wasmtest.Call(write), wasmtest.Drop, wasmtest.Unreachable)
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			_, err := r.Start(ctx, sdk.Spec{Name: "x", Env: map[string]string{"PW": secret}, SecretEnv: []string{"PW"}})
			return err
		},
		after: func(_ *stage, err error) error {
			failure, ok := errors.AsType[*wasm.Failure](err)
			if !ok {
				return errors.New("it didn't crash")
			}
			return errors.Join(hidesTheSecret(err.Error()), hidesTheSecret(failure.Stderr))
		},
	},
	{
		// What an instance leaves in its memory isn't the next one's to read.
		Group: "isolation", Name: "memory of the operation before", code: sdk.CodeConflict, options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			left := m.Global(0)
			return join(c32(5000), wasmtest.I32Load, wasmtest.GlobalGet(left), wasmtest.I32Add, wasmtest.If(wasmtest.Unreachable),
				c32(5000), c32(7), wasmtest.I32Store, c32(7), wasmtest.GlobalSet(left), failWith)
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			for range 20 {
				if err := start(ctx, r); !sdk.IsCode(err, sdk.CodeConflict) {
					return err
				}
			}
			return together(20, func() error { return start(ctx, r) })
		},
	},
	{
		Group: "isolation", Name: "memory that grew in the operation before", code: sdk.CodeConflict, options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			return join(wasmtest.MemorySize, c32(1), wasmtest.I32Xor, wasmtest.If(wasmtest.Unreachable),
				c32(400), wasmtest.MemoryGrow, wasmtest.Drop,
				c32(20<<20), wasmtest.I32Load, wasmtest.If(wasmtest.Unreachable),
				c32(20<<20), c32(7), wasmtest.I32Store, failWith)
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			for range 10 {
				if err := start(ctx, r); !sdk.IsCode(err, sdk.CodeConflict) {
					return err
				}
			}
			return together(4, func() error { return start(ctx, r) })
		},
	},
	{
		Group: "isolation", Name: "store of another project, by a name that goes up", code: sdk.CodeNotFound, requests: everything, options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			get := m.Import(abi.ModuleKV, abi.KVGet)
			m.Data(0, []byte("k"))
			return join(c32(0), c32(1), wasmtest.Call(get))
		},
		open: func(ctx context.Context, s *stage, binary []byte, options wasm.Options) (wasm.Runtime, error) {
			options.Grants, options.DataDir = wasm.Grants{KV: 1000}, s.path("data")
			options.Name, options.Project = "../../hostile", "../other/../../x"
			return wasm.Open(ctx, binary, options)
		},
		before: func(s *stage) error {
			for _, folder := range []string{"x", "hostile", "other", filepath.Join("data", "hostile", "x")} {
				if err := os.MkdirAll(s.path(folder), 0o700); err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(s.path(folder), "store.json"), []byte(`{"k":"djE="}`), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	},
}
