package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// logs lets the module of an attack be asked for a log, whose receiver is sink.
func logs(sink func(sdk.LogEntry) error) func(context.Context, *stage, wasm.Runtime) error {
	return func(ctx context.Context, _ *stage, r wasm.Runtime) error {
		return r.(sdk.Logger).Logs(ctx, "c1", sdk.LogOptions{}, sink)
	}
}

func discard(sdk.LogEntry) error { return nil }

// forwards is the code of an operation that forwards the body of a response.
func forwards(kind int32) func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code {
	return func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code {
		request := `{"endpoint":"engine","method":"GET","path":"/"}`
		call := m.Import(abi.ModuleHTTP, abi.HTTPRequestCall)
		forward := m.Import(abi.ModuleCore, abi.StreamForward)
		m.Data(0, []byte(request))
		return map[abi.Operation]wasmtest.Code{abi.Logs: join(
			c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(call), wasmtest.Drop,
			c32(1), c32(kind), wasmtest.Call(forward))}
	}
}

// framed is an attack by the frames that an engine sends.
func framed(name, frames string, code sdk.Code) Attack {
	return Attack{
		Group: "frames", Name: name, code: code, requests: everything, grants: endpoint, exports: forwards(abi.StreamDocker), options: slow,
		before: func(s *stage) error {
			return s.serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, frames) })
		},
		run: logs(discard),
	}
}

var errFull = errors.New("the disk is full")

var streamAttacks = []Attack{
	framed("of no stream", "\x07\x00\x00\x00\x00\x00\x00\x01x", sdk.CodeInternal),
	framed("of 4 GiB that don't come", "\x01\x00\x00\x00\xff\xff\xff\xffx", sdk.CodeInternal),
	framed("cut off in the head", "\x01\x00\x00", sdk.CodeInternal),
	framed("empty ones", strings.Repeat("\x02\x00\x00\x00\x00\x00\x00\x00", 100_000), ""),
	framed("no frames at all", "HTTP is not for me\n", sdk.CodeInternal),
	{
		Group: "receiver", Name: "fails", says: errFull.Error(), code: sdk.CodeInternal,
		exports: func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code {
			return map[abi.Operation]wasmtest.Code{abi.Logs: flood(m, abi.StreamWrite, true, "x", c32(1), wasmtest.Const64(0), c32(0), c32(100))}
		},
		options: wasm.Options{},
		run:     logs(func(sdk.LogEntry) error { return errFull }),
	},
	{
		Group: "receiver", Name: "fails while the host forwards", says: errFull.Error(), requests: everything, grants: endpoint, exports: forwards(abi.StreamStdout), code: sdk.CodeInternal,
		before: func(s *stage) error {
			return s.serve(func(w http.ResponseWriter, _ *http.Request) {
				for {
					if _, err := w.Write(make([]byte, 64<<10)); err != nil {
						return
					}
				}
			})
		},
		run: logs(func(sdk.LogEntry) error { return errFull }),
	},
	{
		Group: "receiver", Name: "gets a line that never ends", kind: "", code: sdk.CodeCancelled, cancelled: 2 * time.Second, // in which the request is surely made
		requests: everything, grants: endpoint, exports: forwards(abi.StreamStdout | abi.StreamTimestamps),
		before: func(s *stage) error {
			return s.serve(func(w http.ResponseWriter, _ *http.Request) {
				for {
					if _, err := w.Write(bytes.Repeat([]byte("x"), 64<<10)); err != nil {
						return
					}
				}
			})
		},
		run: logs(discard),
	},
	{
		Group: "handle", Name: "forwarded, then read, closed and forwarded again", requests: everything, grants: endpoint, options: slow,
		before: func(s *stage) error {
			return s.serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
		},
		exports: func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code {
			request := `{"endpoint":"engine","method":"GET","path":"/"}`
			call := m.Import(abi.ModuleHTTP, abi.HTTPRequestCall)
			forward := m.Import(abi.ModuleCore, abi.StreamForward)
			read := m.Import(abi.ModuleCore, abi.IORead)
			shut := m.Import(abi.ModuleCore, abi.IOClose)
			m.Data(0, []byte(request))
			return map[abi.Operation]wasmtest.Code{abi.Logs: join(
				c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(call), wasmtest.Drop,
				c32(1), c32(1), wasmtest.Call(forward), wasmtest.If(wasmtest.Unreachable),
				c32(1), c32(512), c32(8), wasmtest.Call(read), c32(-int32(abi.BadHandle)), wasmtest.I32Xor, wasmtest.If(wasmtest.Unreachable),
				c32(1), wasmtest.Call(shut), unless,
				c32(1), c32(1), wasmtest.Call(forward), unless, c32(0))}
		},
		run: logs(discard),
	},
}

// watches lets the module of an attack be asked for events, and waits until they
// end or the caller does.
func watches(ctx context.Context, _ *stage, r wasm.Runtime) error {
	events, err := r.(sdk.Watcher).Watch(ctx, "shop", time.Time{})
	if err != nil {
		return err
	}
	var last error
	for event := range events {
		if event.Type == sdk.EventLost {
			last = event.Err
		}
		for _, text := range []string{string(event.Type), event.ID, event.Name, event.Resource} {
			if strings.ContainsAny(text, "\x1b\n\r") {
				return fmt.Errorf("the event %+v steers the terminal", event)
			}
		}
	}
	return last
}

// emits is the code of an operation that emits documents, and then goes on with
// code that leaves its status.
func emits(m *wasmtest.Module, then wasmtest.Code, documents ...string) map[abi.Operation]wasmtest.Code {
	emit := m.Import(abi.ModuleCore, abi.Emit)
	var code wasmtest.Code
	at := int32(0)
	for _, document := range documents {
		m.Data(at, []byte(document))
		code = join(code, c32(at), c32(int32(len(document))), wasmtest.Call(emit), wasmtest.Drop)
		at += int32(len(document))
	}
	return map[abi.Operation]wasmtest.Code{abi.Events: join(code, then)}
}

const subscribed = `{"type":"subscribed"}`

func eventful(name string, kind wasm.Kind, code sdk.Code, cancelled time.Duration, then wasmtest.Code, documents ...string) Attack {
	return Attack{
		Group: "events", Name: name, kind: kind, code: code, cancelled: cancelled, run: watches,
		exports: func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code { return emits(m, then, documents...) },
	}
}

var eventAttacks = []Attack{
	eventful("end at once", protocol, "", 0, c32(0)),
	eventful("never subscribe", timeout, "", usualTime, join(wasmtest.Forever(), c32(0))),
	eventful("come before the subscription", "", sdk.CodeInternal, 0, c32(0), event, event, subscribed, event),
	eventful("crash when subscribed", trap, "", 0, wasmtest.Unreachable, subscribed, subscribed),
	eventful("of unknown types", "", sdk.CodeInternal, 0, c32(0), subscribed, `{"type":"event"}`, `{"type":"other","event":{}}`, `{"type":"event","event":{"type":"other"}}`),
	eventful("that steer the terminal", "", sdk.CodeInternal, 0, c32(0), subscribed, `{"type":"event","event":{"type":"started","id":"\u001b[2J","name":"a\nb","resource":"\r"}}`),
	{
		Group: "events", Name: "that nobody reads", cancelled: usualTime, code: sdk.CodeCancelled,
		exports: func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code {
			return emits(m, join(wasmtest.Forever(c32(0), c32(int32(len(event))), wasmtest.Call(m.Import(abi.ModuleCore, abi.Emit)), wasmtest.Drop), c32(0)), event, subscribed)
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			events, err := r.(sdk.Watcher).Watch(ctx, "shop", time.Time{})
			if err != nil {
				return err
			}
			<-ctx.Done()
			for range events {
			}
			return context.Cause(ctx)
		},
	},
}
