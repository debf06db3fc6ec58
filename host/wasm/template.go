package wasm

import (
	"fmt"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// template is what an instance is right after it was initialised, before it has
// heard of any operation. Others go on from there: Go's runtime, say, takes longer
// to initialise itself than most operations take.
type template struct {
	memory    *snapshot
	variables []uint64
}

// templates keeps the template of a module.
type templates struct {
	state *module.State
	first atomic.Pointer[template]
}

// initialize makes a new instance ready for its operation.
func (c *call) initialize(instance api.Module) error {
	all := &c.plugin.templates
	if ready := all.first.Load(); ready != nil {
		return ready.apply(c, instance, all.state.Variables)
	}
	for _, part := range all.state.Memory {
		instance.Memory().Write(part.At, part.Content) // which has room for it
	}
	if _, err := instance.ExportedFunction(abi.Initialize).Call(c.hard); err != nil {
		return fmt.Errorf("%s failed: %w", abi.Initialize, err)
	}
	// What has spoken to its host, or to people, has to do so each time.
	if !c.called && len(c.stderr.kept) == 0 {
		all.keep(instance)
	}
	return nil
}

// keep makes a template of an instance, unless there is one. Where the system has
// no room for it, each instance goes on to initialise itself.
func (t *templates) keep(instance api.Module) {
	memory, _ := instance.Memory().Read(0, instance.Memory().Size())
	taken, err := takeSnapshot(memory)
	if err != nil {
		return
	}
	made := &template{memory: taken}
	for _, name := range t.state.Variables {
		made.variables = append(made.variables, instance.ExportedGlobal(name).Get())
	}
	if !t.first.CompareAndSwap(nil, made) {
		taken.close()
	}
}

func (t *templates) close() {
	if made := t.first.Swap(nil); made != nil {
		made.memory.close()
	}
}

// apply makes an instance what the template is.
func (t *template) apply(c *call, instance api.Module, variables []string) error {
	memory := instance.Memory()
	if more := t.memory.size - memory.Size(); more > 0 {
		if _, ok := memory.Grow(more / pageSize); !ok {
			return fmt.Errorf("there are no %d bytes of memory", t.memory.size)
		}
	}
	view, _ := memory.Read(0, t.memory.size)
	if err := t.memory.restore(c.memory, view); err != nil {
		return err
	}
	for i, name := range variables {
		instance.ExportedGlobal(name).(api.MutableGlobal).Set(t.variables[i])
	}
	return nil
}
