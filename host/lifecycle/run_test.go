package lifecycle

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// after sends each signal at its time after now.
func after(signals chan<- os.Signal, times ...time.Duration) {
	for _, at := range times {
		time.AfterFunc(at, func() { signals <- os.Interrupt })
	}
}

func TestL11SignalAfterTheStartStopsTheStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{})
		signals := make(chan os.Signal, 2)
		after(signals, time.Minute)
		if err := m.Run(t.Context(), signals); err != nil {
			t.Errorf("Run() = %v, want a success", err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL11SignalDuringTheStartRollsBack(t *testing.T) {
	hang := fake.Phase{Hang: true}
	for name, script := range map[string]fake.Script{
		"while preparing": {Prepare: hang},
		"while starting":  {Start: hang},
		"while waiting":   {WaitHealthy: hang},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := fake.New(scripts{"app": script})
				p := stackOf("db", "app < db")
				stepOf(p, "app").Prepare = plan.Build
				m := newManager(t, p, runtime, Options{})
				signals := make(chan os.Signal, 2)
				after(signals, 2*time.Second)
				began := time.Now()
				err := m.Run(t.Context(), signals)
				interrupted, ok := errors.AsType[*InterruptedError](err)
				if !ok || interrupted.ExitCode() != 130 {
					t.Errorf("Run() = %v, want an interruption with exit code 130", err)
				}
				if took := time.Since(began); took != 2*time.Second {
					t.Errorf("Run returned after %s, want 2s", took)
				}
				wantNothingLeft(t, runtime)
			})
		})
	}
}

// A signal that comes in the very moment in which the start succeeds ends the
// stack all the same, whichever of the two is seen first.
func TestL11SignalAtTheEndOfTheStart(t *testing.T) {
	for range 500 {
		synctest.Test(t, func(t *testing.T) {
			runtime := fake.New(scripts{"db": {Start: fake.Phase{Delay: time.Second}}})
			m := newManager(t, stackOf("db"), runtime, Options{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			signals := make(chan os.Signal, 2)
			go func() {
				for event := range m.Events().Since(ctx, 0) {
					if event.Type == StackStarted {
						signals <- os.Interrupt
						return
					}
				}
			}()
			err := m.Run(ctx, signals)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("the signal was lost")
			}
			wantNothingLeft(t, runtime)
		})
	}
}

func TestL11SecondSignalKillsAndStillRemoves(t *testing.T) {
	stubborn := fake.Script{IgnoresStop: true}
	tests := map[string]struct {
		scripts scripts
		want    time.Duration
	}{
		"during a stop":     {scripts{"db": stubborn, "app": stubborn}, 12 * time.Second},
		"during a rollback": {scripts{"db": stubborn, "app": {Start: fake.Phase{Hang: true}}}, 12 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := fake.New(test.scripts)
				m := newManager(t, stackOf("db", "app < db"), runtime, Options{DefaultGrace: time.Hour})
				signals := make(chan os.Signal, 2)
				after(signals, 10*time.Second, 12*time.Second)
				began := time.Now()
				_ = m.Run(t.Context(), signals)
				if took := time.Since(began); took != test.want {
					t.Errorf("Run returned after %s, want %s", took, test.want)
				}
				wantNothingLeft(t, runtime)
			})
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := newManager(t, stackOf("db"), runtime, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Run(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run() = %v, want the context's error", err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestRunAbortsOnExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {Exits: true, ExitAfter: time.Minute, ExitCode: 7}})
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{AbortOnExit: true})
		err := m.Run(t.Context(), nil)
		exited, ok := errors.AsType[*ExitedError](err)
		if !ok || exited.Resource != "app" || exited.ExitCode != 7 {
			t.Errorf("Run() = %v, want the exit of app with 7", err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestInterruptedErrorExitCodes(t *testing.T) {
	for signal, want := range map[os.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		if got := (&InterruptedError{Signal: signal}).ExitCode(); got != want {
			t.Errorf("exit code of %v = %d, want %d", signal, got, want)
		}
	}
}
