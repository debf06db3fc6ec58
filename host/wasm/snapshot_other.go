//go:build !linux

package wasm

import "bytes"

// snapshot is a copy of a memory.
type snapshot struct {
	content []byte
	size    uint32
}

func takeSnapshot(memory []byte) (*snapshot, error) {
	return &snapshot{bytes.Clone(memory), uint32(len(memory))}, nil //nolint:gosec // at most 64 MiB
}

func (s *snapshot) restore(_ *linear, view []byte) error {
	copy(view, s.content)
	return nil
}

func (s *snapshot) close() {}
