package guest

import (
	"context"
	"encoding/json"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// Emit says something to the host while the operation runs.
func Emit(ctx context.Context, emission abi.Emission) error {
	document, err := json.Marshal(emission)
	if err != nil {
		return err
	}
	if status := abi.Status(hostcall.Emit(document)); status != abi.OK {
		return failed(ctx, "emit", status, nil)
	}
	return nil
}
