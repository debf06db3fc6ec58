package sdk

import (
	"context"
	"time"
)

// Runtime is what every container runtime can do. All methods may be called
// concurrently, and every one of them ends soon after its context does, with an
// error that wraps the context's.
//
// Errors carry a [Code]; see [Error].
type Runtime interface {
	// Start creates and starts the container that spec describes and returns
	// its id. The image is already there if the runtime is a [Preparer];
	// otherwise Start sees to it. A spec field that the runtime can't honour is
	// refused with CodeUnsupported before anything is created. When Start
	// fails, it leaves nothing behind: what it created, it removes, even when
	// ctx has ended.
	Start(ctx context.Context, spec Spec) (id string, err error)

	// Stop asks the container to end with its stop signal and kills it when it
	// is still running after grace. A grace under the engine's resolution is
	// rounded up, never to zero; a grace of zero kills at once. Stopping a
	// container that has ended or is gone is a success.
	Stop(ctx context.Context, id string, grace time.Duration) error

	// WaitHealthy waits until the container is ready and returns the state in
	// which it was found: ready means that check passed once. When check is
	// nil, the image's own healthcheck counts, and without one, being seen
	// running is enough; State.Health then is HealthNone. It fails at once with
	// CodeExited when the container ends, and with CodeUnhealthy when check
	// used up its retries. The caller bounds the wait with ctx.
	WaitHealthy(ctx context.Context, id string, check *Healthcheck) (State, error)
}
