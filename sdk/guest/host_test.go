package guest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

// testHost offers the ABI without any of the defences that a real host needs.
type testHost struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	engine   string // the URL of the endpoint
	dir      string
	stderr   bytes.Buffer

	mu    sync.Mutex
	store map[string][]byte
}

// invocation is what one operation has at the host.
type invocation struct {
	host    *testHost
	soft    context.Context
	told    bool
	input   []byte
	result  []byte
	output  []byte
	handles map[abi.Handle]*handle
	pumps   sync.WaitGroup

	mu       sync.Mutex
	emitted  []abi.Emission
	written  map[uint64]string
	times    []uint64
	logLines []string
}

// handle is a stream that is read ahead of the guest, or a process.
type handle struct {
	mu    sync.Mutex
	data  bytes.Buffer
	ended bool
	ready chan struct{} // has a value when something may have changed
	code  int
	kill  func(signal syscall.Signal)
	// forwarded says that the guest has given it away.
	forwarded bool
}

func (h *handle) isReady(forwardEnds bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended || (!forwardEnds && h.data.Len() > 0)
}

func buildModule(t testing.TB, folder string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "module.wasm")
	command := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file, ".")
	command.Dir = folder
	command.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", folder, err, output)
	}
	module, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

func newTestHost(t testing.TB, module []byte) *testHost {
	t.Helper()
	ctx := t.Context()
	h := &testHost{dir: t.TempDir(), store: map[string][]byte{}}
	h.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithMemoryLimitPages(1024))
	t.Cleanup(func() { h.runtime.Close(context.WithoutCancel(ctx)) })
	wasi_snapshot_preview1.MustInstantiate(ctx, h.runtime)
	builders := map[string]wazero.HostModuleBuilder{}
	implementations := h.functions()
	for _, f := range abi.Functions() {
		if builders[f.Module] == nil {
			builders[f.Module] = h.runtime.NewHostModuleBuilder(f.Module)
		}
		call := implementations[f.Module+"."+f.Name]
		builders[f.Module].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
			for i, t := range f.Params {
				if t == abi.I32 {
					stack[i] = uint64(uint32(stack[i])) // the rest of the word is anything
				}
			}
			status := call(ctx.Value(invocationKey{}).(*invocation), m.Memory(), stack)
			if len(f.Results) > 0 {
				stack[0] = uint64(status)
			}
		}), types(f.Params), types(f.Results)).Export(f.Name)
	}
	for _, builder := range builders {
		if _, err := builder.Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := h.runtime.CompileModule(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	h.compiled = compiled
	return h
}

func types(list []abi.Type) []api.ValueType {
	var result []api.ValueType
	for _, t := range list {
		result = append(result, api.ValueType(t))
	}
	return result
}

type invocationKey struct{}

// invoke runs an operation in a fresh instance. The guest has two seconds more
// than soft.
func (h *testHost) invoke(soft context.Context, op abi.Operation, request any) (abi.Status, *invocation, error) {
	input, err := json.Marshal(request)
	if err != nil {
		return 0, nil, err
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(soft))
	defer cancel()
	defer context.AfterFunc(soft, func() { time.AfterFunc(2*time.Second, cancel) })()
	v := &invocation{host: h, soft: soft, input: input, handles: map[abi.Handle]*handle{}, written: map[uint64]string{}}
	hard = context.WithValue(hard, invocationKey{}, v)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.Initialize).WithStderr(&h.stderr).
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader).
		WithNanosleep(func(ns int64) {
			select {
			case <-hard.Done():
			case <-time.After(time.Duration(ns)):
			}
		})
	instance, err := h.runtime.InstantiateModule(hard, h.compiled, config)
	if err != nil {
		return 0, v, err
	}
	defer instance.Close(hard)
	results, err := instance.ExportedFunction(string(op)).Call(hard)
	if err == nil && results[0] == 0 {
		v.pumps.Wait()
	}
	for _, handle := range v.handles {
		if handle.kill != nil {
			handle.kill(syscall.SIGKILL)
		}
	}
	if err != nil {
		return 0, v, err
	}
	return abi.Status(int32(results[0])), v, nil
}

// over says that the operation is to end, once.
func (v *invocation) over() int64 {
	if v.told || v.soft.Err() == nil {
		return 0
	}
	v.told = true
	if v.soft.Err() == context.DeadlineExceeded {
		return int64(abi.Timeout)
	}
	return int64(abi.Cancelled)
}

func (v *invocation) done() <-chan struct{} {
	if v.told {
		return nil
	}
	return v.soft.Done()
}

func (v *invocation) open(h *handle) abi.Handle {
	h.ready = make(chan struct{}, 1)
	id := abi.Handle(len(v.handles) + 1)
	v.handles[id] = h
	return id
}

func (v *invocation) pump(r io.Reader) abi.Handle {
	h := &handle{}
	id := v.open(h)
	v.pumps.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			h.mu.Lock()
			h.data.Write(buf[:n])
			h.ended = err != nil
			h.mu.Unlock()
			select {
			case h.ready <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	})
	return id
}

func (v *invocation) answer(document any) int64 {
	v.result, _ = json.Marshal(document)
	return 0
}

func (v *invocation) refuse(status abi.Status, message string) int64 {
	v.answer(abi.Error{Message: message})
	return int64(status)
}

type hostFunction func(v *invocation, memory api.Memory, p []uint64) int64

func bytesAt(memory api.Memory, ptr, size uint64) []byte {
	data, ok := memory.Read(uint32(ptr), uint32(size))
	if !ok {
		panic("a pointer outside of the memory")
	}
	return data
}

func readDocument(document []byte, memory api.Memory, p []uint64) int64 {
	if uint32(p[1]) == 0 {
		return int64(len(document))
	}
	return int64(copy(bytesAt(memory, p[0], p[1]), document[p[2]:]))
}

func (h *testHost) functions() map[string]hostFunction {
	core, execM, httpM, kv := abi.ModuleCore+".", abi.ModuleExec+".", abi.ModuleHTTP+".", abi.ModuleKV+"."
	return map[string]hostFunction{
		core + abi.InputRead:  func(v *invocation, m api.Memory, p []uint64) int64 { return readDocument(v.input, m, p) },
		core + abi.ResultRead: func(v *invocation, m api.Memory, p []uint64) int64 { return readDocument(v.result, m, p) },
		core + abi.OutputWrite: func(v *invocation, m api.Memory, p []uint64) int64 {
			v.output = bytes.Clone(bytesAt(m, p[0], p[1]))
			return 0
		},
		core + abi.Log: func(v *invocation, m api.Memory, p []uint64) int64 {
			v.logLines = append(v.logLines, fmt.Sprint(p[0], " ", string(bytesAt(m, p[1], p[2]))))
			return 0
		},
		core + abi.Emit: func(v *invocation, m api.Memory, p []uint64) int64 {
			var emission abi.Emission
			if err := json.Unmarshal(bytesAt(m, p[0], p[1]), &emission); err != nil {
				return int64(abi.Invalid)
			}
			v.emitted = append(v.emitted, emission)
			return v.over()
		},
		core + abi.Clock: func(v *invocation, _ api.Memory, p []uint64) int64 {
			deadline, ok := v.soft.Deadline()
			switch {
			case p[0] != abi.ClockLeft:
				return time.Now().UnixNano()
			case !ok:
				return -1
			}
			return int64(max(0, time.Until(deadline)))
		},
		core + abi.Sleep: func(v *invocation, _ api.Memory, p []uint64) int64 {
			select {
			case <-v.done():
			case <-time.After(time.Duration(p[0])):
			}
			return v.over()
		},
		core + abi.IORead:  ioRead,
		core + abi.IOPoll:  ioPoll,
		core + abi.IOClose: ioClose,
		core + abi.StreamWrite: func(v *invocation, m api.Memory, p []uint64) int64 {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.written[p[0]] += string(bytesAt(m, p[2], p[3]))
			v.times = append(v.times, p[1])
			return v.over()
		},
		core + abi.StreamForward: streamForward,
		core + abi.LogForward:    logForward,
		execM + abi.ExecSpawn:    spawn,
		execM + abi.ExecRun:      func(v *invocation, _ api.Memory, _ []uint64) int64 { return v.refuse(abi.Unsupported, "") },
		execM + abi.ExecWait: func(v *invocation, _ api.Memory, p []uint64) int64 {
			return v.answer(abi.WaitResult{ExitCode: v.handles[abi.Handle(p[0])].code})
		},
		execM + abi.ExecKill: func(v *invocation, _ api.Memory, p []uint64) int64 {
			v.handles[abi.Handle(p[0])].kill(syscall.Signal(p[1]))
			return 0
		},
		httpM + abi.HTTPRequestCall: request,
		kv + abi.KVGet: func(v *invocation, m api.Memory, p []uint64) int64 {
			value, ok := h.store[string(bytesAt(m, p[0], p[1]))]
			if !ok {
				return v.refuse(abi.NotFound, "no such key")
			}
			v.result = value
			return 0
		},
		kv + abi.KVSet: func(v *invocation, m api.Memory, p []uint64) int64 {
			h.store[string(bytesAt(m, p[0], p[1]))] = bytes.Clone(bytesAt(m, p[2], p[3]))
			return v.answer(abi.None{})
		},
		kv + abi.KVDelete: func(v *invocation, m api.Memory, p []uint64) int64 {
			delete(h.store, string(bytesAt(m, p[0], p[1])))
			return v.answer(abi.None{})
		},
		kv + abi.KVList: func(v *invocation, _ api.Memory, _ []uint64) int64 { return v.refuse(abi.Unsupported, "") },
	}
}

func ioRead(v *invocation, m api.Memory, p []uint64) int64 {
	h := v.handles[abi.Handle(p[0])]
	if h == nil || h.forwarded {
		return -int64(abi.BadHandle)
	}
	for !h.isReady(false) {
		select {
		case <-h.ready:
		case <-v.done():
			return -v.over()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n, _ := h.data.Read(bytesAt(m, p[1], p[2]))
	return int64(n)
}

func ioPoll(v *invocation, m api.Memory, p []uint64) int64 {
	list := bytesAt(m, p[0], p[1]*4)
	timeout := time.After(time.Duration(p[2]))
	for {
		if status := v.over(); status != 0 {
			return -status
		}
		ready := int64(0)
		for i := 0; i < len(list); i += 4 {
			h := v.handles[abi.Handle(binary.LittleEndian.Uint32(list[i:]))]
			if h != nil && h.isReady(h.forwarded) {
				ready++
			}
		}
		if ready > 0 {
			for i := 0; i < len(list); i += 4 {
				h := v.handles[abi.Handle(binary.LittleEndian.Uint32(list[i:]))]
				if h == nil || !h.isReady(h.forwarded) {
					binary.LittleEndian.PutUint32(list[i:], 0)
				}
			}
			return ready
		}
		select {
		case <-timeout:
			return 0
		case <-time.After(time.Millisecond):
		}
	}
}

func ioClose(v *invocation, _ api.Memory, p []uint64) int64 {
	h := v.handles[abi.Handle(p[0])]
	if h != nil && h.kill != nil {
		h.kill(syscall.SIGKILL)
	}
	return 0
}

func streamForward(v *invocation, _ api.Memory, p []uint64) int64 {
	h := v.handles[abi.Handle(p[0])]
	h.forwarded = true
	kind := p[1]
	v.pumps.Go(func() {
		for !h.isReady(true) {
			<-h.ready
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.written[kind] += h.data.String()
	})
	return 0
}

func logForward(v *invocation, m api.Memory, p []uint64) int64 {
	var r abi.LogRequest
	if err := json.Unmarshal(bytesAt(m, p[0], p[1]), &r); err != nil {
		return v.refuse(abi.Invalid, err.Error())
	}
	h := v.handles[r.Stdout|r.Frames]
	for !h.isReady(true) {
		<-h.ready
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.written[abi.StreamDocker] += h.data.String()
	return v.answer(enginelog.End{Words: "told"})
}

func spawn(v *invocation, m api.Memory, p []uint64) int64 {
	var r abi.ExecRequest
	if err := json.Unmarshal(bytesAt(m, p[0], p[1]), &r); err != nil {
		return v.refuse(abi.Invalid, err.Error())
	}
	ctx := context.WithoutCancel(v.soft)
	if !v.told && !r.Outlives {
		ctx = v.soft
	}
	command := exec.CommandContext(ctx, r.Program, r.Args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "DIR=" + v.host.dir}
	if r.Works {
		command.Env = append(command.Env, "WORKS=yes")
	}
	for _, variable := range r.Env {
		command.Env = append(command.Env, variable[0]+"="+variable[1])
	}
	command.Stdin = bytes.NewReader(bytes.Clone(bytesAt(m, p[2], p[3])))
	outRead, outWrite := io.Pipe()
	errRead, errWrite := io.Pipe()
	command.Stdout, command.Stderr = outWrite, errWrite
	if err := command.Start(); err != nil {
		return v.refuse(abi.Unavailable, err.Error())
	}
	process := &handle{kill: func(signal syscall.Signal) { command.Process.Signal(signal) }}
	id := v.open(process)
	v.pumps.Go(func() {
		command.Wait()
		outWrite.Close()
		errWrite.Close()
		process.mu.Lock()
		defer process.mu.Unlock()
		process.code, process.ended = command.ProcessState.ExitCode(), true
	})
	return v.answer(abi.SpawnResult{Process: id, Stdout: v.pump(outRead), Stderr: v.pump(errRead)})
}

func request(v *invocation, m api.Memory, p []uint64) int64 {
	var r abi.HTTPRequest
	if err := json.Unmarshal(bytesAt(m, p[0], p[1]), &r); err != nil {
		return v.refuse(abi.Invalid, err.Error())
	}
	real, err := http.NewRequestWithContext(v.soft, r.Method, v.host.engine+r.Path, strings.NewReader(string(bytesAt(m, p[2], p[3]))))
	if err != nil {
		return v.refuse(abi.Invalid, err.Error())
	}
	query := real.URL.Query()
	for _, pair := range r.Query {
		query.Add(pair[0], pair[1])
	}
	real.URL.RawQuery = query.Encode()
	response, err := http.DefaultClient.Do(real)
	if err != nil {
		if status := v.over(); status != 0 {
			return v.refuse(abi.Status(status), "cancelled")
		}
		return v.refuse(abi.Unavailable, err.Error())
	}
	return v.answer(abi.HTTPResponse{Status: response.StatusCode, Body: v.pump(response.Body)})
}
