// Package ports is imported by modules whose runtime can tell which ports its engine has given away.
package ports

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

//go:wasmexport ls_ports
func ports() int32 {
	return guest.Operation(abi.Ports, func(ctx context.Context, rt sdk.PortFinder, _ abi.None) (abi.PortsResult, error) {
		ports, err := rt.PublishedPorts(ctx)
		return abi.PortsResult{Ports: ports}, err
	})
}
