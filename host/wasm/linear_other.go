//go:build !linux && !darwin

package wasm

import "context"

// linear leaves the memory of an instance to the engine.
type linear struct{}

func withLinear(ctx context.Context) (context.Context, *linear) { return ctx, &linear{} }

func (*linear) release() {}
