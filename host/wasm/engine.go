package wasm

import (
	"context"
	"runtime"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// featuresOfPlugins leaves out reference types, since tables aren't bounded by
// the engine, and vectors, which no plugin needs.
const featuresOfPlugins = api.CoreFeaturesV2 &^ (api.CoreFeatureReferenceTypes | api.CoreFeatureSIMD)

// withWorkers compiles several functions at a time. With two or more workers the
// compiler also looks at its context between functions.
func withWorkers(ctx context.Context) context.Context {
	return experimental.WithCompilationWorkers(ctx, min(max(2, runtime.GOMAXPROCS(0)), 4))
}

func valueTypes(list []abi.Type) []api.ValueType {
	out := make([]api.ValueType, len(list))
	for i, t := range list {
		out[i] = api.ValueType(t)
	}
	return out
}
