package docker

import (
	"context"
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func (r *Runtime) build(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	return errors.ErrUnsupported
}
