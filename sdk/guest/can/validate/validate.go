// Package validate is imported by modules whose runtime can judge a spec without touching anything.
package validate

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

//go:wasmexport ls_validate
func validate() int32 {
	return guest.Operation(abi.Validate, func(ctx context.Context, rt sdk.Validator, args abi.SpecArgs) (abi.None, error) {
		return abi.None{}, rt.Validate(ctx, args.Spec)
	})
}
