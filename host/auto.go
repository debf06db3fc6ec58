package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Auto is the setting by which the program chooses the runtime.
const Auto = "auto"

// askTimeout bounds the question whether an engine is there.
const askTimeout = 3 * time.Second

// choose returns the first runtime of containers that answers, and logs why. A
// project that has no container needs none.
func choose(ctx context.Context, settings *config.Settings, logger *slog.Logger, containers bool) (string, error) {
	if !containers {
		logger.Info("chose the runtime process: nothing needs an engine of containers")
		return processName, nil
	}
	var refusals []error
	for _, found := range Look(ctx, settings, logger) {
		switch {
		case found.Name == processName:
		case found.Err != nil:
			refusals = append(refusals, fmt.Errorf("%s: %w", found.Name, found.Err))
		default:
			logger.Info(fmt.Sprintf("chose the runtime %s: it is the first that answers", found.Name), "version", found.Info.Version, "address", found.Info.Address)
			return found.Name, nil
		}
	}
	return "", &sdk.Error{
		Code: sdk.CodeUnavailable, Op: "open", Err: fmt.Errorf("no engine of containers answers:\n%w", errors.Join(refusals...)),
		Hint: "start one of them; `lightshuttle runtimes` says more",
	}
}

// Found is what was found out about a runtime.
type Found struct {
	Name string
	Info sdk.Info
	// Err says why it can't be reached.
	Err error
	// Advice is what to do then.
	Advice string
	// Abilities are the optional interfaces that it has.
	Abilities []string
}

// Look asks every runtime that is built in, in the order in which they are
// chosen.
func Look(ctx context.Context, settings *config.Settings, logger *slog.Logger) []Found {
	found := make([]Found, len(builtin))
	done := make(chan struct{}, len(builtin))
	for i, one := range builtin {
		go func() {
			defer func() { done <- struct{}{} }()
			found[i] = Found{Name: one.name, Advice: one.advice}
			runtime, err := one.open(settings, logger)
			if err != nil {
				found[i].Err = err
				return
			}
			defer runtime.Close()
			found[i].Abilities = abilities(runtime)
			pinger, ok := runtime.(sdk.Pinger)
			if !ok {
				return
			}
			asking, cancel := context.WithTimeout(ctx, askTimeout)
			defer cancel()
			found[i].Info, found[i].Err = pinger.Ping(asking)
			if found[i].Err != nil && asking.Err() != nil && ctx.Err() == nil {
				found[i].Err = sdk.Errorf(sdk.CodeUnavailable, "ping", "it didn't answer within %s", askTimeout)
				found[i].Advice = "it may hang, or the machine be overloaded: ask it for its version yourself"
			}
		}()
	}
	for range builtin {
		<-done
	}
	return found
}

// abilities names the optional interfaces of a runtime.
func abilities(runtime sdk.Runtime) []string {
	var names []string
	add := func(name string, has bool) {
		if has {
			names = append(names, name)
		}
	}
	add("validate", is[sdk.Validator](runtime))
	add("prepare", is[sdk.Preparer](runtime))
	add("inspect", is[sdk.Inspector](runtime))
	add("list", is[sdk.Lister](runtime))
	add("remove", is[sdk.Remover](runtime))
	add("logs", is[sdk.Logger](runtime))
	add("exec", is[sdk.Execer](runtime))
	add("network", is[sdk.Networker](runtime))
	add("volume", is[sdk.Volumer](runtime))
	add("restart", is[sdk.Restarter](runtime))
	add("env", is[sdk.EnvReader](runtime))
	add("ports", is[sdk.PortFinder](runtime))
	add("watch", is[sdk.Watcher](runtime))
	return names
}

func is[Able any](runtime sdk.Runtime) bool {
	_, ok := runtime.(Able)
	return ok
}
