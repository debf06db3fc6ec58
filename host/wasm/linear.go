//go:build linux || darwin

package wasm

import (
	"context"
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// linear is the memory of an instance: as much address space as it may ever
// have, of which the system gives what is touched. So it never moves when it
// grows, which would need it twice, and is given back at once and not when
// garbage is collected.
type linear struct{ mapping []byte }

// withLinear returns a context for making an instance, and its memory, which is
// to be released after all that could touch it has ended. That isn't left to the
// engine, which forgets an instance that is closed while it ends.
func withLinear(ctx context.Context) (context.Context, *linear) {
	l := &linear{}
	return experimental.WithMemoryAllocator(ctx, l), l
}

// Allocate implements experimental.MemoryAllocator. There is one memory.
func (l *linear) Allocate(_, most uint64) experimental.LinearMemory {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_NORESERVE
	mapping, err := syscall.Mmap(-1, 0, int(max(most, pageSize)), syscall.PROT_READ|syscall.PROT_WRITE, flags) //nolint:gosec // at most 64 MiB
	if err != nil {
		// Where the system wants memory to be there that is never touched.
		return &moving{}
	}
	l.mapping = mapping
	return l
}

// Reallocate implements experimental.LinearMemory.
func (l *linear) Reallocate(size uint64) []byte {
	if size > uint64(len(l.mapping)) {
		return nil
	}
	return l.mapping[:size]
}

// Free implements experimental.LinearMemory; release does it.
func (l *linear) Free() {}

func (l *linear) release() {
	if l.mapping != nil {
		_ = syscall.Munmap(l.mapping) // it is ours, and whole
		l.mapping = nil
	}
}

// moving is memory on the heap.
type moving struct{ buffer []byte }

func (m *moving) Reallocate(size uint64) []byte {
	m.buffer = append(m.buffer, make([]byte, size-uint64(len(m.buffer)))...)
	return m.buffer
}

func (m *moving) Free() { m.buffer = nil }
