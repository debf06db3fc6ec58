package mixed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Member is a runtime with its name.
type Member struct {
	Name    string
	Runtime sdk.Runtime
}

// Runtime is the runtime that is made of its members. The first of them runs
// what names no runtime.
type Runtime struct {
	members []Member
	// owners remembers the member of each id that was seen.
	owners sync.Map
}

// New makes a runtime of members, which must be able to list and to watch: what
// the program else makes up for, it can't do by halves.
func New(members ...Member) (*Runtime, error) {
	for _, member := range members {
		_, lists := member.Runtime.(sdk.Lister)
		_, watches := member.Runtime.(sdk.Watcher)
		_, inspects := member.Runtime.(sdk.Inspector)
		if !lists || !watches || !inspects {
			return nil, &sdk.Error{
				Code: sdk.CodeUnsupported, Op: "open",
				Err:  fmt.Errorf("the runtime %s can't be mixed with others: it can't tell which containers there are and what happens to them", member.Name),
				Hint: "give all resources one runtime",
			}
		}
	}
	return &Runtime{members: members}, nil
}

// Close closes all members.
func (r *Runtime) Close() error {
	var errs []error
	for _, member := range r.members {
		if closer, ok := member.Runtime.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	return errors.Join(errs...)
}

// of is the member that a spec names.
func (r *Runtime) of(spec sdk.Spec) (Member, error) {
	if spec.Runtime == "" {
		return r.members[0], nil
	}
	for _, member := range r.members {
		if member.Name == spec.Runtime {
			return member, nil
		}
	}
	return Member{}, &sdk.Error{Code: sdk.CodeInvalid, Resource: spec.Resource, Err: fmt.Errorf("the runtime %s is not in use", spec.Runtime)}
}

func (r *Runtime) nameOf(runtime sdk.Runtime) string {
	for _, member := range r.members {
		if member.Runtime == runtime {
			return member.Name
		}
	}
	return ""
}

// owner is the member that has a container, known or looked for. Without one the
// error is sdk.CodeNotFound.
func (r *Runtime) owner(ctx context.Context, id string) (sdk.Runtime, error) {
	if known, ok := r.owners.Load(id); ok {
		return known.(sdk.Runtime), nil //nolint:forcetypeassert // nothing else is stored
	}
	for _, member := range r.members {
		_, err := member.Runtime.(sdk.Inspector).Inspect(ctx, id) //nolint:forcetypeassert // New has checked it
		if err == nil {
			r.owners.Store(id, member.Runtime)
			return member.Runtime, nil
		}
		if !sdk.IsCode(err, sdk.CodeNotFound) {
			return nil, err
		}
	}
	return nil, sdk.Errorf(sdk.CodeNotFound, "inspect", "there is no container %q", id)
}

// Stop implements sdk.Runtime.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) error {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return unlessNotFound(err)
	}
	return owner.Stop(ctx, id, grace)
}

// WaitHealthy implements sdk.Runtime.
func (r *Runtime) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return sdk.State{}, err
	}
	return owner.WaitHealthy(ctx, id, check)
}

func unlessNotFound(err error) error {
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return nil
	}
	return err
}

// each has every member that can do it do something at the same time.
func each[Able any](r *Runtime, do func(i int, able Able) error) error {
	errs := make([]error, len(r.members))
	var all sync.WaitGroup
	for i, member := range r.members {
		able, ok := member.Runtime.(Able)
		if !ok {
			continue
		}
		all.Go(func() {
			if err := do(i, able); err != nil {
				errs[i] = fmt.Errorf("runtime %s: %w", member.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Ping implements sdk.Pinger: all members have to answer.
func (r *Runtime) Ping(ctx context.Context) (sdk.Info, error) {
	infos := make([]sdk.Info, len(r.members))
	if err := each(r, func(i int, pinger sdk.Pinger) error {
		var err error
		infos[i], err = pinger.Ping(ctx)
		return err
	}); err != nil {
		return sdk.Info{}, err
	}
	names := make([]string, len(r.members))
	for i, member := range r.members {
		names[i] = member.Name
	}
	info := infos[0]
	info.Name = strings.Join(names, " + ")
	return info, nil
}
