package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func specOf(stack *manifest.Stack, name string) *sdk.Spec {
	i := slices.IndexFunc(stack.Resources, func(r manifest.StackResource) bool { return r.Name == name })
	return &stack.Resources[i].Spec
}

const restarting = `
project: {name: p}
resources:
  db: {redis: {}}
  web: {container: {image: "web:1", restart_with: [app]}}
  app: {container: {image: "app:1", depends_on: [db], restart_with: [db, cache]}}
  cache: {redis: {}}
  other: {container: {image: "other:1", depends_on: [db]}}
`

// L19: what depends on a changed resource is told, if it wants to be.
func TestL19RestartWithWhatChanged(t *testing.T) {
	stack := stackFrom(t, restarting)
	all := func(change func(name string, s *sdk.State)) Observed {
		var observed Observed
		for _, r := range stack.Resources {
			observed.Containers = append(observed.Containers, with(running(stack, r.Name), func(s *sdk.State) { change(r.Name, s) }))
		}
		return observed
	}
	tests := []struct {
		name     string
		observed Observed
	}{
		{"nothing-changed", all(func(string, *sdk.State) {})},
		{"db-changed", all(func(name string, s *sdk.State) {
			if name == "db" {
				s.Labels = map[string]string{sdk.LabelHash: "other"}
			}
		})},
		{"cache-is-gone", Observed{Containers: slices.DeleteFunc(all(func(string, *sdk.State) {}).Containers, func(s sdk.State) bool { return s.Resource == "cache" })}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Up(stack, test.observed, Options{})
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, "restart-with-"+test.name, p)
		})
	}
}

// drawStack makes a manifest of a few resources. Edges lead to earlier ones.
func drawStack(t *rapid.T, label string) *manifest.Stack {
	var b strings.Builder
	b.WriteString("project: {name: p}\nresources:\n")
	count := rapid.IntRange(1, 6).Draw(t, label+" size")
	for i := range count {
		fmt.Fprintf(&b, "  r%d:\n    container:\n      image: app:%d\n", i, rapid.IntRange(1, 2).Draw(t, "image"))
		fmt.Fprintf(&b, "      env: {A: %q}\n", rapid.SampledFrom([]string{"x", "y"}).Draw(t, "env"))
		if i == 0 {
			continue
		}
		earlier := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("r%d", rapid.IntRange(0, i-1).Draw(t, "edge")) })
		condition := rapid.SampledFrom([]string{"", "{condition: completed}", "{condition: started}"})
		needs := rapid.MapOfN(earlier, condition, 0, 2).Draw(t, "needs")
		b.WriteString("      depends_on: {")
		for name, condition := range needs {
			fmt.Fprintf(&b, "%s: %s, ", name, condition)
		}
		b.WriteString("}\n      restart_with: [" + strings.Join(rapid.SliceOfNDistinct(earlier, 0, min(i, 2), rapid.ID).Draw(t, "with"), ", ") + "]\n")
	}
	m, found := manifest.Parse("f", []byte(b.String()))
	if m == nil {
		t.Fatalf("%s\n%s", found, b.String())
	}
	stack, found := m.Resolve(manifest.Inputs{})
	if stack == nil {
		t.Fatal(found)
	}
	return stack
}

// drawObserved makes what is left of another stack, as time and people have
// treated it.
func drawObserved(t *rapid.T, of *manifest.Stack) Observed {
	var observed Observed
	for i, r := range of.Resources {
		for copies := range rapid.IntRange(0, 2).Draw(t, "copies") {
			state := with(running(of, r.Name), func(s *sdk.State) {
				s.ID, s.CreatedAt = fmt.Sprintf("seen-%d-%d", i, copies), time.Unix(int64(copies), 0)
				if copies > 0 {
					s.Name += fmt.Sprint("-", copies)
				}
				s.Status = rapid.SampledFrom([]sdk.Status{sdk.StatusRunning, sdk.StatusRunning, sdk.StatusExited, sdk.StatusPaused, sdk.StatusCreated}).Draw(t, "status")
				s.Health = rapid.SampledFrom([]sdk.Health{sdk.HealthNone, sdk.HealthHealthy, sdk.HealthUnhealthy}).Draw(t, "health")
				if s.Status == sdk.StatusExited {
					code := rapid.IntRange(0, 1).Draw(t, "code")
					s.ExitCode, s.Health = &code, sdk.HealthNone
				}
			})
			observed.Containers = append(observed.Containers, state)
		}
	}
	return observed
}

// carriedOut is what is seen when the plan has been carried out.
func carriedOut(p *Plan, before Observed) Observed {
	after := Observed{Containers: slices.Clone(before.Containers), Volumes: before.Volumes}
	for i, step := range p.Steps {
		if step.Previous != nil && step.Action != Keep {
			after.Containers = slices.DeleteFunc(after.Containers, func(s sdk.State) bool { return s.ID == step.Previous.ID })
		}
		if !step.Makes() {
			continue
		}
		made := sdk.State{
			ID: fmt.Sprint("made-", i), Name: step.Spec.Name, Resource: step.Resource, Image: step.Spec.Image,
			Status: sdk.StatusRunning, Health: sdk.HealthNone, Labels: step.Spec.Labels, CreatedAt: time.Unix(10, 0),
		}
		if step.Completes {
			zero := 0
			made.Status, made.ExitCode = sdk.StatusExited, &zero
		}
		after.Containers = append(after.Containers, made)
	}
	return after
}

// L19: what is equal and ready isn't touched, unless it is to be restarted with
// something that changes.
func TestL19LeavesAloneWhatIsAsItShouldBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stack := drawStack(t, "wanted")
		observed := drawObserved(t, rapid.SampledFrom([]*manifest.Stack{stack, drawStack(t, "former")}).Draw(t, "left"))
		p, err := Up(stack, observed, Options{})
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]bool{}
		for _, step := range p.Steps {
			made[step.Resource] = step.Makes()
		}
		for _, step := range p.Steps {
			if step.Previous == nil || step.Spec == nil {
				continue
			}
			equal := step.Previous.Labels[sdk.LabelHash] == step.Spec.Labels[sdk.LabelHash]
			ready := step.Previous.Status == sdk.StatusRunning && step.Previous.Health != sdk.HealthUnhealthy ||
				step.Completes && step.Previous.ExitCode != nil && *step.Previous.ExitCode == 0
			told := slices.ContainsFunc(step.RestartWith, func(name string) bool { return made[name] })
			if want := equal && ready && !told; (step.Action == Keep) != want {
				t.Errorf("%s: %s (%s), equal %v, ready %v, told %v", step.Resource, step.Action, step.Reason, equal, ready, told)
			}
		}
	})
}

// L19: what a plan makes needs no other plan, whatever was there before it.
func TestL19Converges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stack := drawStack(t, "wanted")
		observed := drawObserved(t, rapid.SampledFrom([]*manifest.Stack{stack, drawStack(t, "former")}).Draw(t, "left"))
		options := Options{ForceRecreate: rapid.Bool().Draw(t, "force"), Build: rapid.Bool().Draw(t, "build"), Pull: rapid.Bool().Draw(t, "pull")}
		first, err := Up(stack, observed, options)
		if err != nil {
			t.Fatal(err)
		}
		after := carriedOut(first, observed)
		second, err := Up(stack, after, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if second.Changes() || second.Network.Action != Keep || len(second.Steps) != len(stack.Resources) {
			var text strings.Builder
			_ = first.WriteText(&text)
			_ = second.WriteText(&text)
			t.Errorf("a second plan has something to do:\n%s", text.String())
		}
	})
}

// L19: where resources are named, nothing is touched but them and what they
// need.
func TestL19TouchesOnlyWhatIsNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stack := drawStack(t, "wanted")
		observed := drawObserved(t, rapid.SampledFrom([]*manifest.Stack{stack, drawStack(t, "former")}).Draw(t, "left"))
		named := rapid.SampledFrom(stack.Resources).Draw(t, "named").Name
		p, err := Up(stack, observed, Options{Resources: []string{named}, ForceRecreate: rapid.Bool().Draw(t, "force")})
		if err != nil {
			t.Fatal(err)
		}
		needed := map[string]bool{named: true}
		for before := 0; before != len(needed); {
			before = len(needed)
			for _, r := range stack.Resources {
				for _, dependency := range r.DependsOn {
					if needed[r.Name] {
						needed[dependency.Resource] = true
					}
				}
			}
		}
		touched := map[string]bool{}
		for _, step := range p.Steps {
			name := step.Resource
			if step.Spec == nil {
				name = step.Previous.Resource
			}
			touched[name] = true
		}
		if !maps.Equal(touched, needed) {
			t.Errorf("up %s is about %v, want %v", named, touched, needed)
		}
	})
}
