package plan

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

var update = flag.Bool("update", false, "write the golden files again")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shop = `project: {name: shop}
resources:
  db: {postgres: {password: hush}}
  migrate:
    container:
      image: migrate:1
      env: {URL: "${resources.db.url}"}
  app:
    dockerfile:
      context: .
      depends_on: {migrate: {condition: completed}, db: {condition: healthy}}
      stop_grace: 3s
      start_timeout: 90s
  debug:
    container: {image: "tools:1", profiles: [debug], depends_on: [app]}
`

func stackFrom(t *testing.T, text string) *manifest.Stack {
	t.Helper()
	m, found := manifest.Parse("/project/lightshuttle.yml", []byte(text))
	if m == nil {
		t.Fatal(found)
	}
	stack, found := m.Resolve(manifest.Inputs{})
	if stack == nil {
		t.Fatal(found)
	}
	return stack
}

// running is the container of a resource as it should be.
func running(stack *manifest.Stack, name string) sdk.State {
	for _, r := range stack.Resources {
		if r.Name == name {
			return sdk.State{
				ID: "id-" + name, Name: r.Spec.Name, Project: stack.Project, Resource: name, Image: r.Spec.Image,
				Status: sdk.StatusRunning, Health: sdk.HealthNone, Labels: r.Spec.Labels, CreatedAt: time.Unix(1, 0),
			}
		}
	}
	panic("no resource " + name)
}

func with(state sdk.State, change func(*sdk.State)) sdk.State {
	change(&state)
	return state
}

// The text of plans, for what may be seen.
func TestUp(t *testing.T) {
	stack := stackFrom(t, shop)
	zero, three := 0, 3
	all := []sdk.State{
		running(stack, "db"),
		with(running(stack, "migrate"), func(s *sdk.State) { s.Status, s.ExitCode = sdk.StatusExited, &zero }),
		running(stack, "app"),
	}
	gone := sdk.State{ID: "old", Name: "shop.gone", Resource: "gone", Image: "gone:1", Status: sdk.StatusRunning, Labels: map[string]string{sdk.LabelKind: "container"}}
	leftover := func(name string) sdk.State {
		return with(running(stack, name), func(s *sdk.State) { s.ID, s.Name, s.CreatedAt = "older-"+name, "shop."+name+"-old", time.Unix(0, 0) })
	}
	volumes := []string{"shop_db_data"}
	tests := []struct {
		name     string
		observed Observed
		options  Options
	}{
		{"nothing-is-there", Observed{}, Options{}},
		{"all-is-as-it-should-be", Observed{Containers: all, Volumes: volumes}, Options{}},
		{"things-went-wrong", Observed{Containers: []sdk.State{
			with(all[0], func(s *sdk.State) { s.Health = sdk.HealthUnhealthy }),
			with(all[1], func(s *sdk.State) { s.Status, s.ExitCode = sdk.StatusExited, &three }),
			with(all[2], func(s *sdk.State) { s.Labels = map[string]string{sdk.LabelHash: "other"} }),
			gone, leftover("db"),
		}}, Options{}},
		{"others-touched-them", Observed{Containers: []sdk.State{
			with(all[0], func(s *sdk.State) { s.Health = sdk.HealthStarting }), all[1],
			with(all[2], func(s *sdk.State) { s.Status = sdk.StatusPaused }),
		}, Volumes: volumes}, Options{}},
		{"one-is-wanted", Observed{}, Options{Resources: []string{"migrate"}}},
		{"one-is-wanted-of-many", Observed{Containers: []sdk.State{all[0], gone, leftover("db"), leftover("app")}, Volumes: volumes}, Options{Resources: []string{"migrate"}}},
		{"a-profile", Observed{}, Options{Profiles: []string{"debug"}}},
		{"build-anew", Observed{Containers: all, Volumes: volumes}, Options{Build: true}},
		{"pull-anew", Observed{Containers: all, Volumes: volumes}, Options{Pull: true}},
		{"force-recreate", Observed{Containers: all, Volumes: volumes}, Options{ForceRecreate: true}},
		{"force-recreate-one", Observed{Containers: all, Volumes: volumes}, Options{ForceRecreate: true, Resources: []string{"app"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := Up(stack, test.observed, test.options)
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, "up-"+test.name, p)
		})
	}
}

func checkGolden(t *testing.T, name string, p *Plan) {
	t.Helper()
	var text bytes.Buffer
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "hush") {
		t.Errorf("the plan shows a secret:\n%s", text.String())
	}
	compareGolden(t, name, text.Bytes())
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run the test with -update and look at the change. got:\n%s", path, got)
	}
}

func TestUpKeepsWhatTheManifestSays(t *testing.T) {
	p, err := Up(stackFrom(t, shop), Observed{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	step := func(name string) Step {
		i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Resource == name })
		return p.Steps[i]
	}
	if !step("migrate").Completes || step("db").Completes {
		t.Error("migrate, and nothing else, is meant to complete")
	}
	app := step("app")
	if app.Grace != 3*time.Second || app.StartTimeout != 90*time.Second {
		t.Errorf("app has grace %s and start timeout %s", app.Grace, app.StartTimeout)
	}
	want := []Dependency{{"migrate", Completed}, {"db", Healthy}}
	if !slices.Equal(app.DependsOn, want) {
		t.Errorf("app depends on %v, want %v", app.DependsOn, want)
	}
	if !p.Changes() {
		t.Error("the plan says that there is nothing to do")
	}
}

func TestUpKeepsTheRestartPolicy(t *testing.T) {
	stack := stackFrom(t, `
project: {name: p}
resources:
  db: {redis: {}}
  extra: {redis: {profiles: [extra]}}
  app: {container: {image: "app:1", restart: always, restart_with: [db, extra]}}
`)
	p, err := Up(stack, Observed{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	app := p.Steps[slices.IndexFunc(p.Steps, func(s Step) bool { return s.Resource == "app" })]
	if app.Restart.Mode != sdk.RestartAlways || !slices.Equal(app.RestartWith, []string{"db"}) {
		t.Errorf("app has restart %+v, with %v; want always, with db, which is the one in the plan", app.Restart, app.RestartWith)
	}
}

func TestPrepareImage(t *testing.T) {
	p, err := Up(stackFrom(t, shop), Observed{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Steps {
		if !p.Steps[i].Makes() {
			t.Errorf("%s makes no container", p.Steps[i].Resource)
		}
		p.Steps[i].PrepareImage()
	}
	checkGolden(t, "up-unprepared", p)
}

func TestUpRefusesAnUnknownResource(t *testing.T) {
	if _, err := Up(stackFrom(t, shop), Observed{}, Options{Resources: []string{"nobody"}}); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("Up() = %v, want not found", err)
	}
}

func TestDown(t *testing.T) {
	stack := stackFrom(t, shop)
	network := stack.Network
	full := Observed{Containers: []sdk.State{running(stack, "app"), running(stack, "db"), running(stack, "migrate")}, Volumes: []string{"shop_db_data"}}
	for name, test := range map[string]struct {
		observed Observed
		volumes  bool
	}{
		"nothing":      {Observed{}, false},
		"keep-volumes": {full, false},
		"with-volumes": {full, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Down(network, test.observed, test.volumes)
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, "down-"+name, p)
		})
	}
	p, err := Down(network, full, false)
	if err != nil {
		t.Fatal(err)
	}
	app := p.Steps[len(p.Steps)-1]
	if app.Resource != "app" || app.Grace != 3*time.Second || len(app.DependsOn) != 2 {
		t.Errorf("the last step is %+v, want app with what its labels say", app)
	}
}

func TestGraph(t *testing.T) {
	p, err := Up(stackFrom(t, shop), Observed{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range GraphFormats {
		var text bytes.Buffer
		if err := p.WriteGraph(&text, format); err != nil {
			t.Fatal(err)
		}
		compareGolden(t, "graph."+format, text.Bytes())
	}
	if err := p.WriteGraph(io.Discard, "png"); err == nil || !strings.Contains(err.Error(), "dot, mermaid, svg") {
		t.Errorf("WriteGraph(png) = %v", err)
	}
}

// Labels are what others can write: whatever they say, down must come up with a
// plan.
func TestDownSurvivesStrangeLabels(t *testing.T) {
	strange := func(name, depends, grace string) sdk.State {
		return sdk.State{ID: name, Name: name, Resource: name, Labels: map[string]string{sdk.LabelDependsOn: depends, sdk.LabelGrace: grace}}
	}
	observed := Observed{Containers: []sdk.State{strange("a", "b", "-5"), strange("b", "a,nobody,b", "soon"), strange("", ",,", "")}}
	p, err := Down(sdk.Network{Project: "p"}, observed, false)
	if err != nil || len(p.Steps) != 3 {
		t.Errorf("Down() = %d steps, %v; want all three", len(p.Steps), err)
	}
}
