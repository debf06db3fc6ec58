package main

import (
	"io"
	"sync"
)

// relay passes on what is logged, to where a live view wants it while there is
// one.
type relay struct {
	out io.Writer

	mu       sync.Mutex
	diverted func([]byte) (int, error)
}

// divert sends what is written to a function, or with nil to where it belongs.
func (r *relay) divert(to func([]byte) (int, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.diverted = to
}

// Write implements io.Writer.
func (r *relay) Write(text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.diverted != nil {
		return r.diverted(text)
	}
	return r.out.Write(text)
}
