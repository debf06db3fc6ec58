package pulls

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func newShared(base context.Context) *Shared {
	return New(base, func(pull func()) error {
		go pull()
		return nil
	})
}

func wanted(resource string) sdk.Spec { return sdk.Spec{Resource: resource, Image: "image:1"} }

func TestOnePullServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, release, began := newShared(t.Context()), make(chan struct{}), 0
		transfer := func(_ context.Context, tell func(sdk.Progress)) error {
			began++
			<-release
			tell(sdk.Progress{Status: "half"})
			return &sdk.Error{Code: sdk.CodeImageNotFound, Err: errors.New("there is none")}
		}
		errs, heard := make([]error, 3), make([]string, 3)
		done := make(chan int)
		for i := range errs {
			go func() {
				errs[i] = shared.Get(t.Context(), wanted(strconv.Itoa(i)), func(p sdk.Progress) { heard[i] += p.Status }, transfer)
				done <- i
			}()
		}
		synctest.Wait()
		if n := shared.Waiting("image:1"); n != 3 || began != 1 {
			t.Errorf("%d wait for %d pulls", n, began)
		}
		close(release)
		for range errs {
			i := <-done
			if e, ok := errors.AsType[*sdk.Error](errs[i]); !ok || e.Code != sdk.CodeImageNotFound || e.Resource != strconv.Itoa(i) || heard[i] != "half" {
				t.Errorf("%d: %v, heard %q", i, errs[i], heard[i])
			}
		}
		if n := shared.Waiting("image:1"); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestTheLastWhoGivesUpEndsThePull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newShared(t.Context())
		var ended error
		transfer := func(ctx context.Context, _ func(sdk.Progress)) error {
			<-ctx.Done()
			ended = ctx.Err()
			return ended
		}
		first, giveUpFirst := context.WithCancel(t.Context())
		second, giveUpSecond := context.WithCancel(t.Context())
		done := make(chan error)
		for _, ctx := range []context.Context{first, second} {
			go func() { done <- shared.Get(ctx, wanted("web"), func(sdk.Progress) {}, transfer) }()
			synctest.Wait()
		}
		giveUpFirst()
		if err := <-done; !errors.Is(err, context.Canceled) || ended != nil {
			t.Errorf("the first got %v, the pull %v", err, ended)
		}
		giveUpSecond()
		if err := <-done; !errors.Is(err, context.Canceled) || ended == nil {
			t.Errorf("the second got %v, the pull %v", err, ended)
		}
	})
}

func TestPullsEndWithTheRuntime(t *testing.T) {
	base, end := context.WithCancel(t.Context())
	over := errors.New("over")
	transfer := func(ctx context.Context, _ func(sdk.Progress)) error {
		end()
		<-ctx.Done()
		return over
	}
	if err := newShared(base).Get(t.Context(), wanted("web"), func(sdk.Progress) {}, transfer); !errors.Is(err, over) {
		t.Errorf("Get() = %v", err)
	}
	closed := errors.New("closed")
	refusing := New(base, func(func()) error { return closed })
	if err := refusing.Get(t.Context(), wanted("web"), func(sdk.Progress) {}, transfer); !errors.Is(err, closed) || refusing.Waiting("image:1") != 0 {
		t.Errorf("Get() of what is closed = %v", err)
	}
}
