package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// An HTTP client whose context ended wraps the context's cause.
func TestWhyEndedTakesAwayTheWordsOfTheClient(t *testing.T) {
	for name, cause := range map[string]error{
		"exit":    exitedError(exit{code: 7}, " before it was ready"),
		"timeout": sdk.Errorf(sdk.CodeTimeout, "", "not ready within 3s"),
		"end":     errStartEnded,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cause)
			got := whyEnded(ctx, fmt.Errorf("error during connect: Get /containers/json: %w", cause))
			if got.Error() != cause.Error() {
				t.Errorf("whyEnded() = %q, want %q", got, cause)
			}
			if sdk.CodeOf(got) != sdk.CodeOf(cause) {
				t.Errorf("its code is %s, want %s", sdk.CodeOf(got), sdk.CodeOf(cause))
			}
		})
	}
}

func TestWhyEndedKeepsTheExitCode(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := exitedError(exit{code: 7}, "")
	cancel(cause)
	got, ok := errors.AsType[*sdk.Error](whyEnded(ctx, fmt.Errorf("error during connect: %w", cause)))
	if !ok || got.ExitCode != 7 {
		t.Errorf("whyEnded() = %#v, want exit code 7", got)
	}
}

func TestWhyEndedKeepsAFailureOfItsOwn(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStartEnded)
	own := errors.New("no space left on device")
	if got := whyEnded(ctx, own); got != own { //nolint:errorlint // the very same
		t.Errorf("whyEnded() = %v, want %v", got, own)
	}
}
