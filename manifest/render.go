package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Mask stands in for every secret that is not to be shown.
const Mask = "***"

// YAML returns the resolved stack for people to read. Secrets are masked unless
// reveal is set. It isn't a manifest again: everything in it is as it will run.
func (s *Stack) YAML(reveal bool) ([]byte, error) {
	type project struct {
		Name        string `yaml:"name"`
		Version     string `yaml:"version,omitempty"`
		Description string `yaml:"description,omitempty"`
	}
	resources := yaml.Node{Kind: yaml.MappingNode}
	for i := range s.Resources {
		var value yaml.Node
		if err := value.Encode(shownResource(&s.Resources[i], reveal)); err != nil {
			return nil, fmt.Errorf("resource %s: %w", s.Resources[i].Name, err)
		}
		resources.Content = append(resources.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: s.Resources[i].Name}, &value)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(struct {
		Project   project   `yaml:"project"`
		Resources yaml.Node `yaml:"resources"`
	}{project{s.Project, s.Version, s.Description}, resources})
	return out.Bytes(), err
}

// shown is a resource in the order in which it reads best.
type shown struct {
	Kind        string            `yaml:"kind"`
	Runtime     string            `yaml:"runtime,omitempty"`
	Image       string            `yaml:"image,omitempty"`
	Build       *shownBuild       `yaml:"build,omitempty"`
	Pull        sdk.PullPolicy    `yaml:"pull,omitempty"`
	Entrypoint  []string          `yaml:"entrypoint,omitempty"`
	Command     []string          `yaml:"command,omitempty"`
	WorkingDir  string            `yaml:"working_dir,omitempty"`
	User        string            `yaml:"user,omitempty"`
	Init        bool              `yaml:"init,omitempty"`
	Env         map[string]string `yaml:"env,omitempty"`
	Ports       []string          `yaml:"ports,omitempty"`
	Volumes     []string          `yaml:"volumes,omitempty"`
	Limits      map[string]string `yaml:"limits,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Healthcheck map[string]any    `yaml:"healthcheck,omitempty"`
	DependsOn   map[string]string `yaml:"depends_on,omitempty"`
	Restart     string            `yaml:"restart,omitempty"`
	RestartWith []string          `yaml:"restart_with,omitempty"`
	StopSignal  string            `yaml:"stop_signal,omitempty"`
	StopGrace   string            `yaml:"stop_grace,omitempty"`
	Outputs     map[string]string `yaml:"outputs,omitempty"`
}

type shownBuild struct {
	Context    string            `yaml:"context"`
	Dockerfile string            `yaml:"dockerfile"`
	Target     string            `yaml:"target,omitempty"`
	Args       map[string]string `yaml:"args,omitempty"`
}

func shownResource(r *StackResource, reveal bool) shown {
	spec := &r.Spec
	result := shown{
		Kind: r.Kind, Runtime: spec.Runtime, Image: spec.Image, Pull: spec.Pull, Entrypoint: spec.Entrypoint, Command: spec.Command,
		WorkingDir: spec.WorkingDir, User: spec.User, Init: spec.Init,
		Env: masked(spec.Env, spec.SecretEnv, reveal), Labels: map[string]string{},
		StopSignal: spec.Stop.Signal, DependsOn: map[string]string{}, Outputs: map[string]string{},
		Healthcheck: shownCheck(spec.Healthcheck), Limits: shownLimits(spec.Limits),
		Restart: shownRestart(r.Restart), RestartWith: r.RestartWith,
	}
	if spec.Build != nil {
		result.Build = &shownBuild{spec.Build.Context, spec.Build.Dockerfile, spec.Build.Target, masked(spec.Build.Args, spec.Build.SecretArgs, reveal)}
	}
	if spec.Stop.Grace > 0 {
		result.StopGrace = spec.Stop.Grace.String()
	}
	for _, port := range spec.Ports {
		result.Ports = append(result.Ports, fmt.Sprintf("%s:%d:%d/%s", bracketed(port.HostIP), port.HostPort, port.ContainerPort, port.Protocol))
	}
	for _, mount := range spec.Mounts {
		result.Volumes = append(result.Volumes, shownMount(mount))
	}
	for name, value := range spec.Labels {
		if !strings.HasPrefix(name, "lightshuttle.") {
			result.Labels[name] = value
		}
	}
	for _, dependency := range r.DependsOn {
		result.DependsOn[dependency.Resource] = string(dependency.Condition)
	}
	for _, output := range r.Outputs {
		result.Outputs[output.Name] = output.Value
		if output.Secret && !reveal {
			result.Outputs[output.Name] = Mask
		}
	}
	return result
}

func shownRestart(policy sdk.RestartPolicy) string {
	if policy.MaxRetries > 0 {
		return fmt.Sprintf("%s:%d", policy.Mode, policy.MaxRetries)
	}
	return string(policy.Mode)
}

func masked(values map[string]string, secret []string, reveal bool) map[string]string {
	result := make(map[string]string, len(values))
	for name, value := range values {
		result[name] = value
		if !reveal && slices.Contains(secret, name) {
			result[name] = Mask
		}
	}
	return result
}

func bracketed(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

func shownMount(mount sdk.Mount) string {
	parts := []string{string(mount.Type)}
	for _, part := range []string{mount.Source, mount.Target, mount.Options} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if mount.ReadOnly {
		parts = append(parts, "ro")
	}
	return strings.Join(parts, ":")
}

func shownLimits(limits sdk.Limits) map[string]string {
	result := map[string]string{}
	if limits.NanoCPUs > 0 {
		result["cpus"] = strconv.FormatFloat(float64(limits.NanoCPUs)/1e9, 'f', -1, 64)
	}
	if limits.MemoryBytes > 0 {
		result["memory"] = strconv.FormatInt(limits.MemoryBytes, 10)
	}
	if limits.PIDs > 0 {
		result["pids"] = strconv.FormatInt(limits.PIDs, 10)
	}
	return result
}

func shownCheck(check *sdk.Healthcheck) map[string]any {
	switch {
	case check == nil:
		return nil
	case check.Disable:
		return map[string]any{"disable": true}
	}
	result := map[string]any{
		"interval": check.Interval.String(), "timeout": check.Timeout.String(), "retries": check.Retries,
		"start_period": check.StartPeriod.String(), "start_interval": check.StartInterval.String(),
	}
	switch {
	case check.HTTP != nil:
		result["http"] = map[string]any{"port": check.HTTP.Port, "path": check.HTTP.Path}
	case check.TCP != nil:
		result["tcp"] = map[string]any{"port": check.TCP.Port}
	case check.Log != nil:
		result["log"] = map[string]any{"pattern": check.Log.Pattern}
	default:
		result["test"] = check.Test
	}
	return result
}
