package preflight

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Check finds everything that can be known to fail before the plan is begun.
// The error joins one [*sdk.Error] for each problem. Ports are looked at only if
// there is something to publish; look may be called at the same time by several.
func Check(ctx context.Context, p *plan.Plan, runtime sdk.Runtime, look func() (*Ports, error)) error {
	problems := make([]error, len(p.Steps))
	var all sync.WaitGroup
	for i := range p.Steps {
		step := &p.Steps[i]
		if !step.Makes() {
			continue
		}
		all.Go(func() { problems[i] = errors.Join(checkSpec(ctx, step.Spec, runtime), checkPorts(step.Spec, look)) })
	}
	all.Wait()
	return errors.Join(problems...)
}

func checkSpec(ctx context.Context, spec *sdk.Spec, runtime sdk.Runtime) error {
	if err := checkBuild(spec); err != nil {
		return err
	}
	if err := checkAbilities(spec, runtime); err != nil {
		return err
	}
	validator, ok := runtime.(sdk.Validator)
	if !ok {
		return nil
	}
	return validator.Validate(ctx, *spec)
}

func checkBuild(spec *sdk.Spec) error {
	if spec.Build == nil {
		return nil
	}
	info, err := os.Stat(spec.Build.Context)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return buildError(spec, "there is no folder %s", spec.Build.Context)
	case err != nil:
		return buildError(spec, "%w", err)
	case !info.IsDir():
		return buildError(spec, "%s is not a folder", spec.Build.Context)
	}
	if _, err := os.Stat(spec.Build.Dockerfile); err != nil {
		e := buildError(spec, "there is no %s in %s", filepath.Base(spec.Build.Dockerfile), filepath.Dir(spec.Build.Dockerfile))
		e.Hint = "set `dockerfile` to its path, relative to `context`"
		return e
	}
	return nil
}

func buildError(spec *sdk.Spec, format string, args ...any) *sdk.Error {
	e := sdk.Errorf(sdk.CodeInvalid, "build", format, args...)
	e.Resource = spec.Resource
	e.Hint = "`context` is relative to the manifest"
	return e
}

// checkAbilities refuses what needs an optional interface that the runtime
// doesn't have.
func checkAbilities(spec *sdk.Spec, runtime sdk.Runtime) error {
	lacks := func(what string) error {
		return &sdk.Error{Code: sdk.CodeUnsupported, Resource: spec.Resource, Err: fmt.Errorf("this runtime can't honour `%s`", what)}
	}
	if _, ok := runtime.(sdk.Preparer); !ok && spec.Build != nil {
		return lacks("dockerfile")
	}
	check := spec.Healthcheck
	if check == nil {
		return nil
	}
	if _, ok := runtime.(sdk.Inspector); !ok && (check.HTTP != nil || check.TCP != nil) {
		return lacks("healthcheck.http and healthcheck.tcp")
	}
	if _, ok := runtime.(sdk.Logger); !ok && check.Log != nil {
		return lacks("healthcheck.log")
	}
	return nil
}

func checkPorts(spec *sdk.Spec, look func() (*Ports, error)) error {
	var problems []error
	for _, wanted := range spec.Ports {
		if wanted.HostPort == 0 {
			continue
		}
		ports, err := look()
		if err != nil {
			return err
		}
		holder := ports.Holder(wanted)
		if holder == "" {
			continue
		}
		problems = append(problems, &sdk.Error{
			Code: sdk.CodePortInUse, Resource: spec.Resource,
			Err:  fmt.Errorf("port %d on %s is in use by %s", wanted.HostPort, wanted.HostIP, holder),
			Hint: "stop that, or publish another host port (0 takes any free one)",
		})
	}
	return errors.Join(problems...)
}
