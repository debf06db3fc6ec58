package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
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
	if got := whyEnded(ctx, own); got != own {
		t.Errorf("whyEnded() = %v, want %v", got, own)
	}
}

// A check that the exit cut short wraps the exit; only the exit is worth telling.
func TestL5ExitIsToldInOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cutShort := &sdk.Error{
			Code: sdk.CodeExited, Op: "healthcheck", Output: "connection refused",
			Err: fmt.Errorf("not healthy yet: %w", exitedError(exit{code: 7}, " before it was ready")),
		}
		runtime := fake.New(scripts{"db": {Exits: true, ExitCode: 7, ExitAfter: time.Second, WaitHealthy: fake.Phase{Delay: time.Second, Err: cutShort}}})
		m := newManager(t, checked(stackOf("db"), "db"), runtime, Options{})
		failed, ok := errors.AsType[*StartError](m.Start(t.Context()))
		if !ok || len(failed.Failures) != 1 {
			t.Fatalf("Start() = %v", failed)
		}
		failure := failed.Failures[0]
		if want := "db: exited with code 7 before it was ready"; failure.Error() != want {
			t.Errorf("it failed with %q, want %q", failure.Error(), want)
		}
		if failure.ExitCode == nil || *failure.ExitCode != 7 {
			t.Errorf("its exit code is %v, want 7", failure.ExitCode)
		}
	})
}
