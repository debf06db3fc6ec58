package manifest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// What a healthcheck of the manifest means where it says nothing.
const (
	defaultInterval      = 5 * time.Second
	defaultTimeout       = 3 * time.Second
	defaultRetries       = 5
	defaultStartPeriod   = 5 * time.Second
	defaultStartInterval = 100 * time.Millisecond
)

// Inputs are the values that a manifest leaves open. Each may be nil.
type Inputs struct {
	// Env returns a variable's value. An empty one counts as unset.
	Env func(name string) (string, bool)
	// ReadFile reads an env_file; without it, none is read.
	ReadFile func(path string) ([]byte, error)
	// Password returns the password of a database that has none in the
	// manifest; without it, a placeholder stands in.
	Password func(resource string) string
	// HostPort returns the host port of a database for the wished one, which is
	// 0 when the manifest has none; without it, the wished port counts.
	HostPort func(resource string, wished uint16) uint16
	// Pull, if set, wins over every pull policy.
	Pull sdk.PullPolicy
}

// passwordPlaceholder stands in where nobody generates passwords.
const passwordPlaceholder = "generated"

// Resolve puts the values in and makes a container spec of every resource. It
// reports everything that is wrong; with errors among it, the stack is nil.
func (m *Manifest) Resolve(in Inputs) (*Stack, Diagnostics) {
	report := &reporter{file: m.source.file, lines: m.source.lines}
	r := &resolver{reporter: report, manifest: m, in: in, resolved: map[string]*StackResource{}, volumes: map[string]volumeOwner{}, abroad: map[string][]Output{}, usedFromHost: usedFrom(m.Resources, true), usedFromContainers: usedFrom(m.Resources, false)}
	sorted, _ := order(m.Resources, (*Resource).needNames)
	for _, resource := range sorted {
		r.resource(resource)
	}
	found := report.found.sorted()
	if found.HasErrors() {
		return nil, found
	}
	project := m.Project.Name.Value
	stack := &Stack{
		Project: project, Version: m.Project.Version.Value, Description: m.Project.Description.Value,
		Network: sdk.Network{Name: NetworkName(project), Project: project, Labels: map[string]string{sdk.LabelProject: project}},
		Volumes: r.stackVolumes(),
	}
	for _, resource := range m.Resources {
		stack.Resources = append(stack.Resources, *r.resolved[resource.Name])
	}
	return stack, found
}

// resolver resolves the resources in an order in which dependencies come first.
type resolver struct {
	*reporter
	manifest *Manifest
	in       Inputs
	resolved map[string]*StackResource
	volumes  map[string]volumeOwner
	// abroad are the outputs of resources as those on the other side see them:
	// processes see those of containers, and containers those of processes.
	abroad map[string][]Output
	// usedFromHost are the containers that processes use.
	usedFromHost map[string]bool
	// usedFromContainers are the resources that containers use.
	usedFromContainers map[string]bool
	// onHost says that the resource which is being resolved is a process.
	onHost bool
	// at is where the resource that is being resolved stands.
	at span
}

// volumeOwner says what a named volume comes from.
type volumeOwner struct {
	// written is the name in the manifest; resource is set for a database's own
	// volume.
	written, resource string
}

func (r *resolver) env(name string) (string, bool) {
	if r.in.Env == nil {
		return "", false
	}
	return r.in.Env(name)
}

func (r *resolver) output(resource, property string) (string, bool, error) {
	target := r.resolved[resource]
	if target == nil {
		return "", false, nil // it failed itself, and that was reported
	}
	for _, output := range r.outputsOf(target) {
		if output.Name == property {
			return output.Value, output.Secret, nil
		}
	}
	return "", false, nil
}

// text puts the values into one text, and says whether a secret is in it.
func (r *resolver) text(t Text) (value string, secret bool) {
	if !t.Set {
		return "", false
	}
	parsed, err := parseTemplate(t.Value)
	if err != nil {
		return t.Value, false // reported when it was parsed
	}
	value, secret, err = parsed.evaluate(lookups{env: r.env, output: r.output})
	var missing []string
	collectMissing(err, &missing)
	for _, name := range missing {
		r.errorf(t.At, "set it in the environment or in .env, or give a default: ${env."+name+":-…}", "the variable %s is not set", name)
	}
	return value, secret
}

// collectMissing finds the missing variables in a tree of errors.
func collectMissing(err error, names *[]string) {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *missingError:
		*names = append(*names, e.name)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			collectMissing(one, names)
		}
	}
}

func (r *resolver) plain(t Text) string {
	value, _ := r.text(t)
	return value
}

func (r *resolver) textOr(t Text, fallback string) string {
	if value := r.plain(t); value != "" {
		return value
	}
	return fallback
}

func (r *resolver) resource(from *Resource) {
	project := r.manifest.Project.Name.Value
	common := from.common()
	r.at = from.At
	r.onHost = from.onHost()
	restart, _ := ParseRestart(common.Restart.Value) // checked before
	to := &StackResource{
		Name: from.Name, Kind: from.Kind, Restart: restart, RestartWith: from.restartsWith(),
		StartTimeout: common.StartTimeout.Value, StableFor: common.StableFor.Value,
		Spec: sdk.Spec{
			Project: project, Resource: from.Name, Kind: from.Kind, Name: ContainerName(project, from.Name),
			Runtime: from.runtime(), Env: map[string]string{},
			Stop: sdk.StopPolicy{Signal: common.StopSignal.Value, Grace: sdk.Duration(common.StopGrace.Value)},
		},
	}
	if !r.onHost {
		to.Spec.Hostname, to.Spec.Network, to.Spec.Aliases = hostLabel(from.Name), NetworkName(project), aliases(from.Name)
		to.Spec.Pull = r.pull(common)
	}
	for _, profile := range common.Profiles {
		to.Profiles = append(to.Profiles, r.plain(profile))
	}
	r.dependencies(from, to)
	to.Spec.Healthcheck = r.healthcheck(&common.Healthcheck)
	switch {
	case from.Postgres != nil:
		r.postgres(from.Postgres, to)
	case from.Redis != nil:
		r.redis(from.Redis, to)
	case from.Container != nil:
		to.Spec.Image = r.image(from.Container.Image)
		r.container(&from.Container.ContainerFields, to)
	case from.Dockerfile != nil:
		r.dockerfile(from.Dockerfile, to)
		r.container(&from.Dockerfile.ContainerFields, to)
	case from.Process != nil:
		r.process(from.Process.containerFields(), to)
	case from.Job != nil:
		to.Completes = true
		r.job(from.Job, to)
	}
	r.checkPort(to)
	r.reachHost(from, to)
	r.inject(to)
	slices.Sort(to.Spec.SecretEnv)
	to.Spec.SecretEnv = slices.Compact(to.Spec.SecretEnv)
	r.label(common, to)
	r.resolved[from.Name] = to
}

func aliases(name string) []string {
	if label := hostLabel(name); label != name {
		return []string{name, label}
	}
	return []string{name}
}

func (r *resolver) pull(common *Common) sdk.PullPolicy {
	if r.in.Pull != "" {
		return r.in.Pull
	}
	if common.Pull.Set {
		return sdk.PullPolicy(common.Pull.Value)
	}
	return sdk.PullMissing
}

func (r *resolver) dependencies(from *Resource, to *StackResource) {
	written := len(from.common().DependsOn)
	for i, need := range from.needs {
		to.DependsOn = append(to.DependsOn, Dependency{Resource: need.Resource, Condition: need.Condition, Implicit: i >= written})
	}
}

// inject gives the resource the outputs of its direct dependencies (L8).
func (r *resolver) inject(to *StackResource) {
	for _, dependency := range to.DependsOn {
		target := r.resolved[dependency.Resource]
		if target == nil {
			continue
		}
		for _, output := range r.outputsOf(target) {
			name := InjectedName(dependency.Resource, output.Name)
			if _, written := to.Spec.Env[name]; !written {
				setEnv(&to.Spec, name, output.Value, output.Secret)
			}
		}
	}
}

func setEnv(spec *sdk.Spec, name, value string, secret bool) {
	spec.Env[name] = value
	if secret {
		spec.SecretEnv = append(spec.SecretEnv, name)
	}
}

func (r *resolver) label(common *Common, to *StackResource) {
	labels := map[string]string{
		sdk.LabelProject: to.Spec.Project, sdk.LabelResource: to.Name, sdk.LabelKind: to.Kind,
	}
	names := make([]string, len(to.DependsOn))
	for i, dependency := range to.DependsOn {
		names[i] = dependency.Resource
	}
	if len(names) > 0 {
		labels[sdk.LabelDependsOn] = strings.Join(names, ",")
	}
	if to.Spec.Stop.Grace > 0 {
		labels[sdk.LabelGrace] = milliseconds(to.Spec.Stop.Grace)
	}
	for _, label := range common.Labels {
		labels[label.Key] = r.plain(label.Value)
	}
	to.Spec.Labels = labels
	labels[sdk.LabelHash] = Hash(to.Spec)
	labels[sdk.LabelParts] = Parts(to.Spec)
}

func milliseconds(d sdk.Duration) string {
	data, err := d.MarshalJSON()
	if err != nil {
		panic(err) // a number always has a JSON form
	}
	return string(data)
}

// image resolves an image and checks it.
func (r *resolver) image(t Text) string {
	value := r.plain(t)
	if strings.TrimSpace(value) == "" {
		r.errorf(t.At, "write it as name:tag", "`image` is empty")
		return value
	}
	r.checkImage(value, t.At)
	return value
}

func (r *resolver) checkImage(value string, at span) {
	tagged, err := parseImage(value)
	if err != nil {
		r.errorf(at, "", "%v", err)
		return
	}
	if !tagged {
		r.warnf(at, "add a tag, so that it is the same image tomorrow: "+value+":1.2", "the image %s has no tag", value)
	}
}

func (r *resolver) command(c Command) []string {
	if !c.Set || len(c.Args) == 0 {
		return nil
	}
	var args []string
	if c.Shell {
		args = []string{"sh", "-c"}
	}
	for _, arg := range c.Args {
		args = append(args, r.plain(arg))
	}
	return args
}

// literal is a command in which `${…}` has no meaning.
func literal(c Command) []string {
	if !c.Set {
		return nil
	}
	var args []string
	if c.Shell {
		args = []string{"sh", "-c"}
	}
	for _, arg := range c.Args {
		args = append(args, arg.Value)
	}
	return args
}

func (r *resolver) healthcheck(from *Healthcheck) *sdk.Healthcheck {
	if !from.Given {
		return nil
	}
	to := sdk.Healthcheck{
		Interval: sdk.Duration(orDefault(from.Interval, defaultInterval)), Timeout: sdk.Duration(orDefault(from.Timeout, defaultTimeout)),
		StartPeriod: sdk.Duration(orDefault(from.StartPeriod, defaultStartPeriod)), Retries: defaultRetries,
	}
	start := min(defaultStartInterval, to.Interval.Std())
	to.StartInterval = sdk.Duration(orDefault(from.StartInterval, start))
	if from.Retries.Set {
		to.Retries = int(from.Retries.Value)
	}
	switch {
	case from.Disable.Value:
		return &sdk.Healthcheck{Disable: true}
	case from.HTTP.Given:
		to.HTTP = &sdk.HTTPCheck{Port: uint16(from.HTTP.Port.Value), Path: from.HTTP.Path.Value, Status: int(from.HTTP.Status.Value), Headers: values(from.HTTP.Headers)} //nolint:gosec // checked: it fits
	case from.TCP.Given:
		to.TCP = &sdk.TCPCheck{Port: uint16(from.TCP.Port.Value)} //nolint:gosec // checked: it fits
	case from.Log.Given:
		to.Log = &sdk.LogCheck{Pattern: from.Log.Pattern.Value}
	case from.Test.Set:
		return r.test(from, to)
	}
	return &to
}

// test reads the command of a healthcheck as Docker does.
func (r *resolver) test(from *Healthcheck, to sdk.Healthcheck) *sdk.Healthcheck {
	args := r.command(from.Test)
	if from.Test.Shell {
		to.Test = args
		return &to
	}
	switch args[0] {
	case "NONE":
		return &sdk.Healthcheck{Disable: true}
	case "CMD":
		to.Test = args[1:]
	case "CMD-SHELL":
		to.Test = append([]string{"sh", "-c"}, args[1:]...)
	default:
		to.Test = args
	}
	if len(to.Test) == 0 || to.Test[0] == "sh" && len(to.Test) < 2 {
		r.errorf(from.Test.At, "", "`test` has no command")
	}
	return &to
}

func values(from TextMap) map[string]string {
	if len(from) == 0 {
		return nil
	}
	to := make(map[string]string, len(from))
	for _, entry := range from {
		to[entry.Key] = entry.Value.Value
	}
	return to
}

func orDefault(p Period, fallback time.Duration) time.Duration {
	if p.Set {
		return p.Value
	}
	return fallback
}

// withDefaultTest completes the healthcheck of a kind that has a test of its
// own: what the manifest says of intervals holds, whatever it tests.
func withDefaultTest(given *sdk.Healthcheck, test []string) *sdk.Healthcheck {
	if given == nil {
		return &sdk.Healthcheck{
			Test: test, Interval: sdk.Duration(defaultInterval), Timeout: sdk.Duration(defaultTimeout), Retries: defaultRetries,
			StartPeriod: sdk.Duration(defaultStartPeriod), StartInterval: sdk.Duration(defaultStartInterval),
		}
	}
	if given.Test == nil && given.HTTP == nil && given.TCP == nil && given.Log == nil && !given.Disable {
		given.Test = test
	}
	return given
}

// readEnvFile reads one env_file.
func (r *resolver) readEnvFile(t Text) []EnvVar {
	if r.in.ReadFile == nil {
		return nil
	}
	path := absolute(r.manifest.Dir, r.plain(t))
	data, err := r.in.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.errorf(t.At, "", "env_file: there is no %s", path)
		return nil
	}
	if err != nil {
		r.errorf(t.At, "", "env_file: %v", err)
		return nil
	}
	vars, found := ParseEnvFile(path, data)
	r.found = append(r.found, found...)
	return vars
}
