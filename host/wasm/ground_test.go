package wasm

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// careless is a plugin that looks, takes a while, and creates.
type careless struct{ there *atomic.Bool }

func (careless) Close() error { return nil }

func (p careless) Invoke(context.Context, Invocation) (json.RawMessage, error) {
	there := p.there.Load()
	<-time.After(time.Second) // virtual time
	p.there.Store(true)
	return json.Marshal(abi.CreatedResult{Created: !there})
}

// Of those who ensure at the same time, one creates, though the plugin's
// operations know nothing of each other.
func TestNetworksAndVolumesAreEnsuredOneAtATime(t *testing.T) {
	report := &module.Report{Operations: []abi.Operation{
		abi.Start, abi.Stop, abi.WaitHealthy, abi.NetworkEnsure, abi.NetworkRemove, abi.VolumeEnsure, abi.VolumeList, abi.VolumeRemove,
	}}
	for name, ensure := range map[string]func(context.Context, Runtime) (bool, error){
		"network": func(ctx context.Context, r Runtime) (bool, error) {
			return r.(sdk.Networker).EnsureNetwork(ctx, sdk.Network{Name: "shop"})
		},
		"volume": func(ctx context.Context, r Runtime) (bool, error) {
			return r.(sdk.Volumer).EnsureVolume(ctx, sdk.Volume{Name: "shop"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := Adapt(careless{&atomic.Bool{}}, report, Options{Name: "careless", Project: "shop"}, (&Plugin{}).clean)
				var all sync.WaitGroup
				var created atomic.Int32
				for range 4 {
					all.Go(func() {
						made, err := ensure(t.Context(), r)
						if err != nil {
							t.Error(err)
						}
						if made {
							created.Add(1)
						}
					})
				}
				all.Wait()
				if created.Load() != 1 {
					t.Errorf("%d say that they created it", created.Load())
				}
			})
		})
	}
}
