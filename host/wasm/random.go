package wasm

import (
	"context"
	"crypto/rand"
)

// random is the machine's source of random bytes, until the call is over.
type random struct {
	ctx context.Context //nolint:containedctx // io.Reader has no place for one
}

func (r random) Read(p []byte) (int, error) {
	const piece = 256 << 10 // a fraction of a millisecond
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return rand.Read(p[:min(len(p), piece)])
}
