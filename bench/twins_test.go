package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func allStacks() []stack {
	return []stack{flat(1), flat(20), levels(5, 4), postgresAndApp(), quiet(20), late(time.Second), large(200)}
}

// All subjects must be asked for the same: images, commands, environments,
// probes, ports and edges.
func TestTwinsAreAlike(t *testing.T) {
	for _, s := range allStacks() {
		t.Run(s.Name, func(t *testing.T) {
			files, err := s.write(t.TempDir(), "bench-test-")
			if err != nil {
				t.Fatal(err)
			}
			ours := readManifest(t, files.manifest)
			theirs := readCompose(t, files.compose)
			if len(ours.Resources) != len(s.Services) || len(theirs) != len(s.Services) {
				t.Fatalf("%d resources and %d services, want %d", len(ours.Resources), len(theirs), len(s.Services))
			}
			for i, resource := range ours.Resources {
				if resource.Name != s.Services[i].Name {
					t.Errorf("resource %d is %s, want %s", i, resource.Name, s.Services[i].Name)
				}
				compareTwins(t, resource, theirs[resource.Name])
			}
		})
	}
}

func TestTheFloorReadsTheSameStack(t *testing.T) {
	for _, s := range allStacks() {
		files, err := s.write(t.TempDir(), "bench-test-")
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(files.floor)
		if err != nil {
			t.Fatal(err)
		}
		var f floor
		if err := json.Unmarshal(data, &f.stack); err != nil {
			t.Fatal(err)
		}
		for i, resource := range readManifest(t, files.manifest).Resources {
			compareFloor(t, &f, f.stack.Services[i], resource.Spec)
		}
	}
}

func TestLevelsNeedAllOfTheLevelBefore(t *testing.T) {
	s := levels(5, 4)
	if len(s.Services) != 20 {
		t.Fatalf("%d services, want 20", len(s.Services))
	}
	for i, one := range s.Services {
		var want []string
		for j := i - i%4 - 4; j >= 0 && j < i-i%4; j++ {
			want = append(want, s.Services[j].Name)
		}
		if !slices.Equal(one.Needs, want) {
			t.Errorf("%s needs %v, want %v", one.Name, one.Needs, want)
		}
	}
}

func readManifest(t *testing.T, path string) *manifest.Stack {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parsed, found := manifest.Parse(filepath.Base(path), data)
	if parsed == nil {
		t.Fatal(found)
	}
	resolved, found := parsed.Resolve(manifest.Inputs{})
	if resolved == nil || len(found) > 0 {
		t.Fatal(found)
	}
	return resolved
}

type composeTwin struct {
	Image       string
	Command     []string
	Environment map[string]string
	Ports       []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck *struct {
		Test        []string
		Interval    time.Duration
		Timeout     time.Duration
		StartPeriod time.Duration `yaml:"start_period"`
		Retries     int
	}
}

func readCompose(t *testing.T, path string) map[string]composeTwin {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Services map[string]composeTwin }
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

func compareTwins(t *testing.T, resource manifest.StackResource, twin composeTwin) {
	t.Helper()
	spec := resource.Spec
	if spec.Image != twin.Image || !slices.Equal(spec.Command, twin.Command) || !maps.Equal(asked(spec.Env), twin.Environment) || len(spec.Ports) != len(twin.Ports) {
		t.Fatalf("%s: %s %v %v %v, twin %+v", spec.Resource, spec.Image, spec.Command, spec.Env, spec.Ports, twin)
	}
	if len(resource.DependsOn) != len(twin.DependsOn) {
		t.Errorf("%s: needs %v, twin %v", spec.Resource, resource.DependsOn, twin.DependsOn)
	}
	for _, dependency := range resource.DependsOn {
		if got := twin.DependsOn[dependency.Resource].Condition; got != "service_healthy" {
			t.Errorf("%s: the twin needs %s with condition %q", spec.Resource, dependency.Resource, got)
		}
	}
	check := spec.Healthcheck
	if (check == nil) != (twin.Healthcheck == nil) {
		t.Fatalf("%s: only one has a probe", spec.Resource)
	}
	if check == nil {
		return
	}
	theirs := twin.Healthcheck
	if !slices.Equal(append([]string{"CMD"}, check.Test...), theirs.Test) || check.Retries != theirs.Retries ||
		check.Interval.Std() != theirs.Interval || check.Timeout.Std() != theirs.Timeout || check.StartPeriod.Std() != theirs.StartPeriod {
		t.Errorf("%s: probe %+v, twin %+v", spec.Resource, *check, *theirs)
	}
}

// asked is the environment without what LightShuttle adds by itself, the
// addresses of the dependencies.
func asked(env map[string]string) map[string]string {
	asked := maps.Clone(env)
	maps.DeleteFunc(asked, func(name, _ string) bool { return strings.HasPrefix(name, "LSH_") })
	return asked
}

// compareFloor compares what the floor tells the engine with the spec.
func compareFloor(t *testing.T, f *floor, one service, spec sdk.Spec) {
	t.Helper()
	configuration, host, networking := f.container(one)
	if configuration.Image != spec.Image || !slices.Equal(configuration.Cmd, spec.Command) || len(configuration.Env) != len(asked(spec.Env)) || len(host.PortBindings) != len(spec.Ports) {
		t.Fatalf("%s: %+v, want as %+v", one.Name, configuration, spec)
	}
	if !slices.Equal(networking.EndpointsConfig[f.stack.Project].Aliases, spec.Aliases) {
		t.Errorf("%s: aliases %v, want %v", one.Name, networking.EndpointsConfig[f.stack.Project].Aliases, spec.Aliases)
	}
	// The label of the run is added when the container is made.
	want := slices.Sorted(maps.Keys(spec.Labels))
	want = append(want, sdk.LabelRun)
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(configuration.Labels)); !slices.Equal(got, want) {
		t.Errorf("%s: labels %v, want %v", one.Name, got, want)
	}
	if (configuration.Healthcheck == nil) != (spec.Healthcheck == nil) {
		t.Fatalf("%s: only one has a probe", one.Name)
	}
	if spec.Healthcheck == nil {
		return
	}
	own, check := configuration.Healthcheck, spec.Healthcheck
	if !slices.Equal(own.Test, append([]string{"CMD"}, check.Test...)) || own.Interval != check.Interval.Std() || own.Timeout != check.Timeout.Std() ||
		own.StartPeriod != check.StartPeriod.Std() || own.Retries != check.Retries {
		t.Errorf("%s: probe %+v, want %+v", one.Name, own, check)
	}
}
