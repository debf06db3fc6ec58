package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lightshuttle/lightshuttle/manifest"
)

// The twins must ask for the same: images, probes and edges.
func TestTwinsAreAlike(t *testing.T) {
	for _, s := range append(stacks(), large(40)) {
		t.Run(s.Name, func(t *testing.T) {
			ours, theirs, err := s.write(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(ours)
			if err != nil {
				t.Fatal(err)
			}
			parsed, found := manifest.Parse(filepath.Base(ours), data)
			if parsed == nil {
				t.Fatal(found)
			}
			stack, found := parsed.Resolve(manifest.Inputs{})
			if stack == nil {
				t.Fatal(found)
			}
			compose := readCompose(t, theirs)
			if len(stack.Resources) != len(compose) {
				t.Fatalf("%d resources, but %d services", len(stack.Resources), len(compose))
			}
			for _, resource := range stack.Resources {
				compareTwins(t, resource, compose[resource.Name])
			}
		})
	}
}

type composeService struct {
	Image       string         `yaml:"image"`
	DependsOn   map[string]any `yaml:"depends_on"`
	Healthcheck struct {
		Test    []string `yaml:"test"`
		Retries int      `yaml:"retries"`
	} `yaml:"healthcheck"`
}

func readCompose(t *testing.T, path string) map[string]composeService {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Services map[string]composeService }
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

func compareTwins(t *testing.T, ours manifest.StackResource, theirs composeService) {
	t.Helper()
	if ours.Spec.Image != theirs.Image {
		t.Errorf("%s: image %s, twin %s", ours.Name, ours.Spec.Image, theirs.Image)
	}
	var needs []string
	for _, dependency := range ours.DependsOn {
		needs = append(needs, dependency.Resource)
	}
	slices.Sort(needs)
	if twins := slices.Sorted(maps.Keys(theirs.DependsOn)); !slices.Equal(needs, twins) {
		t.Errorf("%s: needs %v, twin %v", ours.Name, needs, twins)
	}
	if ours.Spec.Healthcheck == nil {
		if len(theirs.Healthcheck.Test) > 0 {
			t.Errorf("%s: only the twin has a probe", ours.Name)
		}
		return
	}
	if probe := append([]string{"CMD"}, ours.Spec.Healthcheck.Test...); !slices.Equal(probe, theirs.Healthcheck.Test) || ours.Spec.Healthcheck.Retries != theirs.Healthcheck.Retries {
		t.Errorf("%s: probe %v, twin %v", ours.Name, probe, theirs.Healthcheck.Test)
	}
}

func TestStatistics(t *testing.T) {
	s := series{3, 1, 2}
	if s.median() != 2 || s.least() != 1 || s.most() != 3 {
		t.Errorf("median %v, least %v, most %v", s.median(), s.least(), s.most())
	}
	if got := (series{4, 1}).median(); got != 2.5 {
		t.Errorf("median of two = %v, want 2.5", got)
	}
	if got := (series{2, 9, 4}).ratio(series{1, 3, 1}); got != 3 {
		t.Errorf("ratio = %v, want the median of the ratios of each round", got)
	}
}
