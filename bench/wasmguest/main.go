// Command wasmguest is the plugin in Go with which bench measures the host of
// plugins. The image of a start says what it does: "echo N" takes what the host
// gives it and gives it back, N times; "wait" waits for its end.
package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// waiting is what it logs when it waits.
const waiting = "waiting"

type runtime struct{}

func (runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	what, count, _ := strings.Cut(spec.Image, " ")
	if what == "wait" {
		guest.Host{}.Log(sdk.LogInfo, waiting)
		<-ctx.Done()
		return "", ctx.Err()
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return "", err
	}
	for range n {
		hostcall.Output(hostcall.Input())
	}
	return spec.Name, nil
}

func (runtime) Stop(context.Context, string, time.Duration) error { return nil }

func (runtime) WaitHealthy(context.Context, string, *sdk.Healthcheck) (sdk.State, error) {
	return sdk.State{}, nil
}

func init() { guest.Serve(runtime{}) }

func main() {}
