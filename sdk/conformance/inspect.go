package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// skew is how much the engine's clock may differ from ours, both being
// rounded.
const skew = 2 * time.Second

var inspectChecks = []check{
	{
		name: "inspect/running", level: Managed, needs: []ability{inspector},
		promise: "Inspect tells id, name, project, resource, image's name, status and times of a running container",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			before := time.Now()
			id := s.start(spec)
			s.looksRunning(s.inspect(id), spec, id, before)
		},
	},
	{
		name: "inspect/image-id", level: Managed, needs: []ability{inspector, images},
		promise: "Inspect tells the id of the image that the container was made from",
		run: func(s *stage) {
			if state := s.inspect(s.start(s.spec("web", "wait"))); state.ImageID == "" {
				s.errorf("the image has no id")
			}
		},
	},
	{
		name: "inspect/labels", level: Managed, needs: []ability{inspector},
		promise: "all labels of the spec come back, whatever is in them",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			for i, value := range strangeValues {
				spec.Labels[fmt.Sprintf("conformance.label-%d", i)] = value
			}
			state := s.inspect(s.start(spec))
			if missing := labelsMissing(state.Labels, spec.Labels); len(missing) > 0 {
				s.errorf("these labels got lost: %s", strings.Join(missing, ", "))
			}
		},
	},
	{
		name: "inspect/label-empty", level: Managed, needs: []ability{inspector},
		promise: "a label without a value comes back",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Labels["conformance.empty"] = ""
			state := s.inspect(s.start(spec))
			if _, there := state.Labels["conformance.empty"]; !there {
				s.errorf("it got lost")
			}
		},
	},
	{
		name: "inspect/ended", level: Managed, needs: []ability{inspector},
		promise: "Inspect tells exit code and end of a container that has ended",
		run: func(s *stage) {
			for _, code := range []int{0, 3, 255} {
				id := s.start(s.spec("job"+codeText(code), "exit", codeText(code)))
				state := s.ended(id)
				s.wantExit("run to the end", state, code)
				if state.FinishedAt.IsZero() || state.FinishedAt.Before(state.StartedAt.Add(-skew)) {
					s.errorf("it started at %s and finished at %s", state.StartedAt, state.FinishedAt)
				}
				if state.OOMKilled {
					s.errorf("it ended by itself, not for lack of memory")
				}
			}
		},
	},
	{
		name: "inspect/killed", level: Managed, needs: []ability{inspector},
		promise: "the exit code of a container that was killed is 137",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.until("it is killed", func() bool {
				s.must("stop", s.Runtime.Stop(s.ctx, id, 0))
				return s.inspect(id).Ended()
			})
			s.wantExit("kill", s.inspect(id), 137)
		},
	},
	{
		name: "inspect/unknown", level: Managed, needs: []ability{inspector},
		promise: "Inspect fails with not_found for a container that isn't there, or not any more",
		run: func(s *stage) {
			_, err := s.Runtime.(sdk.Inspector).Inspect(s.ctx, s.project+"-never-was")
			s.wantCode("inspect what never was", err, sdk.CodeNotFound)
			id := s.start(s.spec("web", "wait"))
			s.end(id)
			if _, ok := s.Runtime.(sdk.Remover); !ok {
				return
			}
			_, err = s.Runtime.(sdk.Inspector).Inspect(s.ctx, id)
			s.wantCode("inspect what was removed", err, sdk.CodeNotFound)
		},
	},
	{
		name: "inspect/cancelled", level: Managed, needs: []ability{inspector},
		promise: "Inspect ends at once when its context has ended",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.soon("inspect", func(ctx context.Context) error {
				_, err := s.Runtime.(sdk.Inspector).Inspect(ctx, id)
				return err
			}, nil)
		},
	},
}

// strangeValues are texts that careless hands break.
var strangeValues = []string{
	"plain", "two words", "a=b=c", "comma,comma", `"quoted" 'too'`, `back\slash`, "$HOME ${X} `id`", "# no comment", "é世界😀", "  around  ", "{{.Name}}", "100%", "-dash",
}

func (s *stage) looksRunning(state sdk.State, spec sdk.Spec, id string, before time.Time) {
	for what, pair := range map[string][2]string{
		"id": {state.ID, id}, "name": {state.Name, spec.Name}, "project": {state.Project, spec.Project}, "resource": {state.Resource, spec.Resource},
		"status": {string(state.Status), string(sdk.StatusRunning)}, "health": {string(state.Health), string(sdk.HealthNone)},
	} {
		if pair[0] != pair[1] {
			s.errorf("the %s is %q, wanted %q", what, pair[0], pair[1])
		}
	}
	if spec.Image != "" && !strings.HasSuffix(state.Image, spec.Image) {
		s.errorf("the image is %q, wanted %q", state.Image, spec.Image)
	}
	if state.ExitCode != nil {
		s.errorf("it has the exit code %d although it runs", *state.ExitCode)
	}
	if state.StartedAt.Before(before.Add(-skew)) || state.StartedAt.After(time.Now().Add(skew)) || state.CreatedAt.After(state.StartedAt) || state.CreatedAt.IsZero() {
		s.errorf("it was created at %s and started at %s; it is %s", state.CreatedAt, state.StartedAt, time.Now())
	}
	if !state.FinishedAt.IsZero() {
		s.errorf("it finished at %s although it runs", state.FinishedAt)
	}
	if state.Restarts != 0 {
		s.errorf("it was restarted %d times", state.Restarts)
	}
	if missing := labelsMissing(state.Labels, spec.Labels); len(missing) > 0 {
		s.errorf("these labels got lost: %s", strings.Join(missing, ", "))
	}
}

var listChecks = []check{
	{
		name: "list/complete", level: Managed, needs: []ability{lister, inspector},
		promise: "List returns every container of the project, ended ones included, each as Inspect has it",
		run: func(s *stage) {
			running, ended := s.start(s.spec("running", "wait")), s.start(s.spec("ended", "exit", "3"))
			s.ended(ended)
			states := s.list(s.project)
			if len(states) != 2 {
				s.fail("there are %d containers, wanted 2", len(states))
			}
			for _, id := range []string{running, ended} {
				at := slices.IndexFunc(states, func(state sdk.State) bool { return state.ID == id })
				if at < 0 {
					s.errorf("%s isn't listed", id)
					continue
				}
				s.same(states[at], s.inspect(id))
			}
		},
	},
	{
		name: "list/own", level: Managed, needs: []ability{lister},
		promise: "List returns nothing of other projects, whose names may be alike",
		run: func(s *stage) {
			s.start(s.spec("web", "wait"))
			for _, project := range []string{s.project + "x", s.project[:len(s.project)-1], "lsc-no-such-project"} {
				for _, state := range s.list(project) {
					if state.Project == s.project || state.Project != project {
						s.errorf("%s of the project %q is listed for the project %q", state.Name, state.Project, project)
					}
				}
			}
			foreign := s.spec("foreign", "wait")
			foreign.Project += "x"
			foreign.Labels[sdk.LabelProject] = foreign.Project
			s.start(foreign)
			if states := s.list(s.project); len(states) != 1 {
				s.errorf("%d containers are listed, wanted the one of the project", len(states))
			}
		},
	},
	{
		name: "list/empty", level: Managed, needs: []ability{lister},
		promise: "a project without containers has an empty list, and that is no error",
		run: func(s *stage) {
			if states := s.list(s.project); len(states) != 0 {
				s.errorf("%d containers are listed", len(states))
			}
		},
	},
	{
		name: "list/while-starting", level: Managed, needs: []ability{lister, remover},
		promise: "List works while containers of the project are started and removed",
		run: func(s *stage) {
			s.must("prepare", s.prepare(s.spec("web", "wait")))
			began, done := make(chan struct{}), make(chan struct{})
			listed := make(chan error, 1)
			go func() {
				close(began)
				for {
					select {
					case <-done:
						listed <- nil
						return
					default:
					}
					if _, err := s.Runtime.(sdk.Lister).List(s.ctx, s.project); err != nil {
						listed <- err
						return
					}
					if s.ctx.Err() == nil {
						timer := time.NewTimer(pollInterval)
						<-timer.C
					}
				}
			}()
			<-began
			s.allMust("start and remove", together(4, func(i int) error {
				id, err := s.begin(s.ctx, s.spec(fmt.Sprintf("web%d", i), "wait"))
				if err != nil {
					return err
				}
				return s.remove(s.ctx, id)
			}))
			close(done)
			s.must("list meanwhile", <-listed)
			if states := s.list(s.project); len(states) != 0 {
				s.errorf("%d containers are listed after all were removed", len(states))
			}
		},
	},
	{
		name: "list/cancelled", level: Managed, needs: []ability{lister},
		promise: "List ends at once when its context has ended",
		run: func(s *stage) {
			s.start(s.spec("web", "wait"))
			s.soon("list", func(ctx context.Context) error {
				_, err := s.Runtime.(sdk.Lister).List(ctx, s.project)
				return err
			}, nil)
		},
	},
}

// same compares what list and inspect say of a container.
func (s *stage) same(listed, inspected sdk.State) {
	summary := func(state sdk.State) string {
		code := "none"
		if state.ExitCode != nil {
			code = codeText(*state.ExitCode)
		}
		slices.SortFunc(state.Ports, func(a, b sdk.PortBinding) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return fmt.Sprintf("%s %s %s %s, image %s %s, %s %s, exit code %s, restarts %d, times %d %d %d, labels %v, ports %v",
			state.ID, state.Name, state.Project, state.Resource, state.Image, state.ImageID, state.Status, state.Health, code, state.Restarts,
			state.CreatedAt.UnixNano(), state.StartedAt.UnixNano(), state.FinishedAt.UnixNano(), state.Labels, state.Ports)
	}
	if summary(listed) != summary(inspected) {
		s.errorf("List says\n  %s\nInspect says\n  %s", summary(listed), summary(inspected))
	}
}

var removeChecks = []check{
	{
		name: "remove/running", level: Managed, needs: []ability{remover, inspector},
		promise: "Remove deletes the container, killing it if it still runs",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.must("remove", s.remove(s.ctx, id))
			_, err := s.Runtime.(sdk.Inspector).Inspect(s.ctx, id)
			s.wantCode("inspect what was removed", err, sdk.CodeNotFound)
		},
	},
	{
		name: "remove/stays", level: Managed, needs: []ability{remover, inspector},
		promise: "a stopped container stays until it is removed",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.must("stop", s.Runtime.Stop(s.ctx, id, longGrace))
			if state := s.inspect(id); !state.Ended() {
				s.errorf("the container is %s", state.Status)
			}
			s.must("remove", s.remove(s.ctx, id))
		},
	},
	{
		name: "remove/twice", level: Managed, needs: []ability{remover},
		promise: "removing a container that is gone, or never was, is a success",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.must("remove", s.remove(s.ctx, id))
			s.must("remove again", s.remove(s.ctx, id))
			s.must("remove what never was", s.remove(s.ctx, s.project+"-never-was"))
		},
	},
	{
		name: "remove/together", level: Managed, needs: []ability{remover, inspector},
		promise: "a removal that is already under way is waited for",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.allMust("remove", together(4, func(int) error {
				if err := s.remove(s.ctx, id); err != nil {
					return err
				}
				if _, err := s.Runtime.(sdk.Inspector).Inspect(s.ctx, id); !sdk.IsCode(err, sdk.CodeNotFound) {
					return fmt.Errorf("one of the removals returned while the container was there: %w", err)
				}
				return nil
			}))
		},
	},
	{
		name: "remove/while-stopping", level: Managed, needs: []ability{remover, logger},
		promise: "a container may be removed while it is being stopped, and both succeed",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.awaitLine(id, "stubborn")
			stopped := make(chan error, 1)
			go func() { stopped <- s.Runtime.Stop(s.ctx, id, longGrace) }()
			s.pause(200 * time.Millisecond)
			s.must("remove", s.remove(s.ctx, id))
			s.must("stop", <-stopped)
		},
	},
	{
		name: "remove/cancelled", level: Managed, needs: []ability{remover},
		promise: "Remove ends at once when its context has ended",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.soon("remove", s.removing(id), nil)
		},
	},
}

func (s *stage) removing(id string) func(context.Context) error {
	return func(ctx context.Context) error { return s.remove(ctx, id) }
}
