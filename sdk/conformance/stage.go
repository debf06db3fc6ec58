package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// stage is where one check plays: a project of its own, which has to be empty
// when the check is over.
type stage struct {
	Target
	ctx     context.Context
	cancel  context.CancelFunc
	project string

	mu       sync.Mutex
	problems []string
	ids      []string
	networks []sdk.Network
	volumes  []sdk.Volume
	cleanups []func()
}

// failed and refused end a check; play recovers them.
type (
	failed  struct{}
	refused struct{ reason string }
)

func newStage(ctx context.Context, target Target, project string) *stage {
	ctx, cancel := context.WithTimeout(ctx, target.Timeout)
	return &stage{Target: target, ctx: ctx, cancel: cancel, project: project}
}

// play makes the check, in a goroutine that it gives up when the runtime
// doesn't return from it.
func (s *stage) play(c check) (Status, string) {
	defer s.cancel()
	done := make(chan *refused, 1)
	go func() { done <- s.guarded(c.run) }()
	var no *refused
	select {
	case no = <-done:
	case <-s.hopeless():
		s.errorf("the runtime doesn't return, long after its context has ended")
		s.sweep()
		return Failed, s.reasons()
	}
	s.cleanUp()
	if reasons := s.reasons(); reasons != "" {
		return Failed, reasons
	}
	if no != nil {
		return Refused, no.reason
	}
	return Passed, ""
}

// hopeless is closed when a check should long have ended.
func (s *stage) hopeless() <-chan struct{} {
	ended := make(chan struct{})
	context.AfterFunc(s.ctx, func() {
		time.AfterFunc(s.Soon, func() { close(ended) })
	})
	return ended
}

// guarded runs f up to its end or its failure.
func (s *stage) guarded(f func(*stage)) (no *refused) {
	defer func() {
		switch caught := recover().(type) {
		case nil, failed:
		case refused:
			no = &caught
		default:
			s.errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	f(s)
	return nil
}

func (s *stage) reasons() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.problems, "\n")
}

// errorf notes a problem; the check goes on.
func (s *stage) errorf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// fail notes a problem and ends the check.
func (s *stage) fail(format string, args ...any) {
	s.errorf(format, args...)
	panic(failed{})
}

// must ends the check if what was being done failed.
func (s *stage) must(doing string, err error) {
	if err != nil {
		s.fail("%s: %v", doing, describe(err))
	}
}

// wantCode notes a problem if err has another code.
func (s *stage) wantCode(doing string, err error, codes ...sdk.Code) {
	if err == nil {
		s.errorf("%s: succeeded, wanted an error with the code %s", doing, words(codes))
		return
	}
	if !slices.Contains(codes, sdk.CodeOf(err)) {
		s.errorf("%s: %s, wanted the code %s", doing, describe(err), words(codes))
	}
}

func words(codes []sdk.Code) string {
	var all []string
	for _, code := range codes {
		all = append(all, string(code))
	}
	return strings.Join(all, " or ")
}

func describe(err error) string {
	text := fmt.Sprintf("%v (code %s)", err, sdk.CodeOf(err))
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.Output != "" {
		text += "; it printed " + fmt.Sprintf("%.200q", e.Output)
	}
	return text
}

// spec is a container of this check that runs the test program.
func (s *stage) spec(resource string, args ...string) sdk.Spec {
	return s.completed(s.Workload(s.lasting(args)...), resource)
}

// lasting makes a workload end a while after its last words, where an engine
// needs that.
func (s *stage) lasting(args []string) []string {
	if s.Lasting == 0 {
		return args
	}
	return append([]string{workload.Lasting, s.Lasting.String()}, args...)
}

func (s *stage) completed(spec sdk.Spec, resource string) sdk.Spec {
	spec.Project, spec.Resource, spec.Kind, spec.Name = s.project, resource, "container", s.project+"-"+resource
	labels := map[string]string{sdk.LabelProject: s.project, sdk.LabelResource: resource, sdk.LabelRun: "run-1", sdk.LabelHash: "abc"}
	for name, value := range spec.Labels {
		labels[name] = value
	}
	spec.Labels = labels
	return spec
}

// prepare sees to the image, as the program does before it starts anything.
func (s *stage) prepare(spec sdk.Spec) error {
	p, ok := s.Runtime.(sdk.Preparer)
	if !ok {
		return nil
	}
	ready, err := p.Prepared(s.ctx, spec)
	if err != nil || ready {
		return err
	}
	return p.Prepare(s.ctx, spec, nil)
}

// try starts a container, and remembers it if there is one.
func (s *stage) try(ctx context.Context, spec sdk.Spec) (string, error) {
	if err := s.prepare(spec); err != nil {
		return "", fmt.Errorf("prepare: %w", err)
	}
	return s.begin(ctx, spec)
}

// begin is try without a look at the image.
func (s *stage) begin(ctx context.Context, spec sdk.Spec) (string, error) {
	id, err := s.Runtime.Start(ctx, spec)
	if id != "" && err == nil {
		s.mu.Lock()
		s.ids = append(s.ids, id)
		s.mu.Unlock()
	}
	return id, err
}

func (s *stage) start(spec sdk.Spec) string {
	id, err := s.try(s.ctx, spec)
	s.must("start "+spec.Resource, err)
	if id == "" {
		s.fail("start %s: succeeded without an id", spec.Resource)
	}
	return id
}

// honoured starts a container with a field that a runtime may refuse. A
// refusal has to name the field by one of the names.
func (s *stage) honoured(spec sdk.Spec, names ...string) string {
	id, err := s.try(s.ctx, spec)
	if sdk.IsCode(err, sdk.CodeUnsupported) {
		s.refused("start", spec, err, names...)
	}
	s.must("start "+spec.Resource, err)
	if v, ok := s.Runtime.(sdk.Validator); ok {
		if err := v.Validate(s.ctx, spec); err != nil {
			s.errorf("validate refuses what start accepts: %s", describe(err))
		}
	}
	return id
}

// refused ends the check with a refusal, after a look at how it was refused.
func (s *stage) refused(op string, spec sdk.Spec, err error, names ...string) {
	s.namesField(err, names...)
	ground := func(left string) bool { return strings.HasPrefix(left, "network ") } // made by the check itself
	if left := slices.DeleteFunc(s.left(), ground); len(left) > 0 {
		s.errorf("%s was refused, and yet there is %s", op, strings.Join(left, ", "))
	}
	if v, ok := s.Runtime.(sdk.Validator); ok {
		s.wantCode("validate what start refuses", v.Validate(s.ctx, spec), sdk.CodeUnsupported)
	}
	panic(refused{err.Error()})
}

func (s *stage) namesField(err error, names ...string) {
	text := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(err.Error()))
	if !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(text, name) }) {
		s.errorf("the refusal %q doesn't name the field (%s)", err, strings.Join(names, " or "))
	}
}

// left names what there is of the project, as far as it can be seen.
func (s *stage) left() []string {
	ctx, cancel := s.afterwards()
	defer cancel()
	return s.leftIn(ctx)
}

func (s *stage) leftIn(ctx context.Context) []string {
	var left []string
	if l, ok := s.Runtime.(sdk.Lister); ok {
		states, err := l.List(ctx, s.project)
		if err != nil {
			s.errorf("list what is left: %s", describe(err))
		}
		for _, state := range states {
			left = append(left, "container "+state.Name)
		}
	}
	if v, ok := s.Runtime.(sdk.Volumer); ok {
		volumes, err := v.ListVolumes(ctx, s.project)
		if err != nil {
			s.errorf("list the volumes that are left: %s", describe(err))
		}
		for _, volume := range volumes {
			left = append(left, "volume "+volume.Name)
		}
	}
	if s.Outside.Leftovers == nil {
		return left
	}
	seen, err := s.Outside.Leftovers(ctx, s.project)
	if err != nil {
		s.errorf("look for what is left: %v", err)
	}
	for _, thing := range seen {
		if !slices.Contains(left, thing) {
			left = append(left, thing)
		}
	}
	return left
}

// later has f run when the check is over.
func (s *stage) later(f func()) { s.cleanups = append(s.cleanups, f) }

// afterwards is a context for cleaning up, whatever became of the check's.
func (s *stage) afterwards() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(s.ctx), s.Timeout)
}

// cleanUp removes what the check made. What is there after it is a leak.
func (s *stage) cleanUp() {
	done := make(chan *refused, 1)
	go func() { done <- s.guarded(func(s *stage) { s.removeAll() }) }()
	timer := time.NewTimer(s.Timeout + s.Soon)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.errorf("the runtime doesn't return while the check cleans up")
	}
}

func (s *stage) removeAll() {
	ctx, cancel := s.afterwards()
	defer cancel()
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
	for _, id := range s.ids {
		if err := s.remove(ctx, id); err != nil {
			s.errorf("clean up %s: %s", id, describe(err))
		}
	}
	for _, network := range s.networks {
		if err := s.Runtime.(sdk.Networker).RemoveNetwork(ctx, network); err != nil {
			s.errorf("clean up the network %s: %s", network.Name, describe(err))
		}
	}
	for _, volume := range s.volumes {
		if err := s.Runtime.(sdk.Volumer).RemoveVolume(ctx, volume); err != nil {
			s.errorf("clean up the volume %s: %s", volume.Name, describe(err))
		}
	}
	if left := s.leftIn(ctx); len(left) > 0 {
		s.errorf("left behind: %s", strings.Join(left, ", "))
		s.sweep()
	}
}

// remove ends a container and removes it, as far as the runtime can.
func (s *stage) remove(ctx context.Context, id string) error {
	r, ok := s.Runtime.(sdk.Remover)
	if !ok {
		return s.Runtime.Stop(ctx, id, 0)
	}
	return r.Remove(ctx, id)
}

// sweep removes what can be found of the project, so that a failed check
// doesn't litter the machine.
func (s *stage) sweep() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.Soon)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // a broken runtime has been reported already
		s.sweepIn(ctx)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (s *stage) sweepIn(ctx context.Context) {
	if l, ok := s.Runtime.(sdk.Lister); ok {
		states, _ := l.List(ctx, s.project)
		for _, state := range states {
			_ = s.remove(ctx, state.ID)
		}
	}
	if v, ok := s.Runtime.(sdk.Volumer); ok {
		volumes, _ := v.ListVolumes(ctx, s.project)
		for _, volume := range volumes {
			_ = v.RemoveVolume(ctx, volume)
		}
	}
}
