package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// checkDocument reports what is wrong with a document beyond its form: all that
// can be known without any variable's value.
func checkDocument(report *reporter, doc *document) {
	c := &checker{reporter: report, doc: doc, byName: map[string]*Resource{}}
	c.project()
	c.sections()
	for _, r := range doc.Resources {
		c.byName[r.Name] = r
		r.needs = r.findNeeds()
	}
	for _, r := range doc.Resources {
		c.resource(r)
	}
	c.hostPorts()
	c.cycle("dependency cycle", (*Resource).needNames)
	c.cycle("cycle of restart_with", (*Resource).restartsWith)
}

type checker struct {
	*reporter
	doc    *document
	byName map[string]*Resource
}

const nameHint = "a lower-case letter, then letters, digits, - and _; 32 characters at most"

func (c *checker) project() {
	name := c.doc.Project.Name
	if name.Set && !ValidName(name.Value) {
		c.errorf(name.At, nameHint, "`%s` can't name a project", name.Value)
	}
}

func (c *checker) sections() {
	if port := c.doc.Dashboard.Port; port.Set {
		if port.Value < 1 || port.Value > 65535 {
			c.errorf(port.At, "", "`port` must be from 1 to 65535")
		}
		c.warnf(port.At, "", "the dashboard is not built yet; its settings are ignored")
	}
	if otel := c.doc.Observability.OTel.Enabled; otel.Value {
		c.warnf(otel.At, "", "the OpenTelemetry collector is not built yet; observability.otel.enabled is ignored")
	}
	export := c.doc.Export
	for _, r := range export.Compose.Resources {
		c.exported(r.Name, r.At)
	}
	for _, r := range export.Kubernetes.Resources {
		c.exported(r.Name, r.At)
	}
	for _, r := range export.Helm.Resources {
		c.exported(r.Name, r.At)
	}
	namespace := export.Kubernetes.Namespace
	if namespace.Set && !labelPattern.MatchString(namespace.Value) {
		c.errorf(namespace.At, "letters, digits and -", "`%s` can't name a namespace", namespace.Value)
	}
}

func (c *checker) exported(name string, at span) {
	if !slices.ContainsFunc(c.doc.Resources, func(r *Resource) bool { return r.Name == name }) {
		c.errorf(at, didYouMean(name, c.names()), "there is no resource `%s`", name)
	}
}

func (c *checker) names() []string {
	names := make([]string, len(c.doc.Resources))
	for i, r := range c.doc.Resources {
		names[i] = r.Name
	}
	return names
}

func (c *checker) resource(r *Resource) {
	if !ValidName(r.Name) {
		c.errorf(r.At, nameHint, "`%s` can't name a resource", r.Name)
	}
	c.needs(r)
	c.restart(r)
	texts(r.fields(), func(t *Text) { c.text(r, t) })
	c.common(r.common())
	if fields := r.containerFields(); fields != nil {
		c.container(r, fields)
	}
	c.place(r)
	c.checkedPort(r)
	for _, port := range []Number{r.servicePort()} {
		if port.Set && (port.Value < 1 || port.Value > 65535) {
			c.errorf(port.At, "leave it out for a free one", "`port` must be from 1 to 65535")
		}
	}
	c.injected(r)
}

func (r *Resource) containerFields() *ContainerFields {
	switch {
	case r.Container != nil:
		return &r.Container.ContainerFields
	case r.Dockerfile != nil:
		return &r.Dockerfile.ContainerFields
	case r.Job != nil:
		return &r.Job.ContainerFields
	case r.Process != nil:
		return r.Process.containerFields()
	}
	return nil
}

// servicePort is the wished host port of a database.
func (r *Resource) servicePort() Number {
	switch {
	case r.Postgres != nil:
		return r.Postgres.Port
	case r.Redis != nil:
		return r.Redis.Port
	}
	return Number{}
}

func (c *checker) needs(r *Resource) {
	seen := map[string]bool{}
	for _, need := range r.common().DependsOn {
		switch {
		case need.Resource == r.Name:
			c.errorf(need.At, "", "`%s` can't depend on itself", r.Name)
		case seen[need.Resource]:
			c.errorf(need.At, "", "`%s` is named twice in depends_on", need.Resource)
		case c.byName[need.Resource] == nil:
			c.errorf(need.At, suggestOr(need.Resource, c.names()), "there is no resource `%s`", need.Resource)
		case need.Condition == Healthy && c.byName[need.Resource].common().Healthcheck.Disable.Value:
			c.errorf(need.At, "wait for condition: started, or give it a healthcheck", "`%s` can't become healthy: its healthcheck is disabled", need.Resource)
		case need.Condition == Completed && c.byName[need.Resource].common().Restart.Value == string(sdk.RestartAlways):
			c.errorf(need.At, "give it restart: on-failure", "`%s` never completes: it is restarted always", need.Resource)
		}
		seen[need.Resource] = true
	}
}

// text checks the references in one text.
func (c *checker) text(r *Resource, t *Text) {
	parsed, err := parseTemplate(t.Value)
	if broken, ok := errors.AsType[*templateError](err); ok {
		c.errorf(within(*t, broken.offset, broken.length), "", "%s", broken.text)
		return
	}
	parsed.references(func(ref *variable) {
		if ref.env != "" {
			return
		}
		at := c.spanIn(*t, ref)
		target := c.byName[ref.resource]
		switch {
		case ref.resource == r.Name:
			c.errorf(at, "", "`%s` can't refer to itself", r.Name)
		case target == nil:
			c.errorf(at, suggestOr(ref.resource, c.names()), "there is no resource `%s`", ref.resource)
		case !slices.Contains(target.properties(), ref.property):
			c.errorf(at, suggestOr(ref.property, target.properties()), "%s `%s` has no property `%s`", target.Kind, target.Name, ref.property)
		}
	})
}

// spanIn finds the reference in the text, for the caret.
func (c *checker) spanIn(t Text, ref *variable) span {
	needle := "resources." + ref.resource + "." + ref.property
	return within(t, max(0, strings.Index(t.Value, needle)), len(needle))
}

// within is a piece of a text, where the text stands in one line as it is.
func within(t Text, offset, length int) span {
	plain := t.At.length == len(t.Value)
	quoted := t.At.length == len(t.Value)+2
	if !plain && !quoted {
		return t.At
	}
	at := t.At
	at.Column += offset
	if quoted {
		at.Column++
	}
	at.length = length
	return at
}

// properties are the names of a resource's outputs.
func (r *Resource) properties() []string {
	switch {
	case r.Postgres != nil:
		return []string{"host", "port", "user", "password", "database", "url"}
	case r.Redis != nil:
		return []string{"host", "port", "password", "url"}
	}
	names := []string{"host", "ports"}
	fields := r.containerFields()
	if fields == nil || len(fields.Ports) == 0 {
		return names
	}
	names = append(names, "port")
	if fields.Scheme.Set {
		names = append(names, "url")
	}
	return names
}

var signalNames = regexp.MustCompile(`^(SIG)?(HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS)$`)

func (c *checker) common(common *Common) {
	if signal := common.StopSignal; signal.Set {
		number, err := strconv.Atoi(signal.Value)
		if !signalNames.MatchString(signal.Value) && (err != nil || number < 1 || number > 64) {
			c.errorf(signal.At, "such as SIGTERM, SIGINT or SIGQUIT", "`%s` is not a signal", signal.Value)
		}
	}
	if grace := common.StopGrace; grace.Set && grace.Value <= 0 {
		c.errorf(grace.At, "to kill it at once, set stop_signal: SIGKILL", "`stop_grace` must be longer than 0")
	}
	if timeout := common.StartTimeout; timeout.Set && timeout.Value <= 0 {
		c.errorf(timeout.At, "", "`start_timeout` must be longer than 0")
	}
	for _, label := range common.Labels {
		if strings.HasPrefix(label.Key, "lightshuttle.") {
			c.errorf(label.KeyAt, "", "labels that begin with `lightshuttle.` are LightShuttle's own")
		}
	}
	for _, profile := range common.Profiles {
		if !ValidName(profile.Value) {
			c.errorf(profile.At, nameHint, "`%s` can't name a profile", profile.Value)
		}
	}
	c.healthcheck(&common.Healthcheck)
}

func (c *checker) healthcheck(check *Healthcheck) {
	if !check.Given {
		return
	}
	var ways []string
	for _, way := range []struct {
		name  string
		given bool
	}{{"test", check.Test.Set}, {"http", check.HTTP.Given}, {"tcp", check.TCP.Given}, {"log", check.Log.Given}, {"disable", check.Disable.Value}} {
		if way.given {
			ways = append(ways, way.name)
		}
	}
	if len(ways) > 1 {
		c.errorf(check.At, "keep one of them", "`healthcheck` has %s", strings.Join(ways, " and "))
	}
	if check.Test.Set && len(check.Test.Args) == 0 {
		c.errorf(check.Test.At, "", "`test` is empty")
	}
	for _, port := range []Number{check.HTTP.Port, check.TCP.Port} {
		if port.Set && (port.Value < 1 || port.Value > 65535) {
			c.errorf(port.At, "", "`port` must be from 1 to 65535")
		}
	}
	if status := check.HTTP.Status; status.Set && (status.Value < 100 || status.Value > 599) {
		c.errorf(status.At, "", "`status` must be an HTTP status")
	}
	if pattern := check.Log.Pattern; pattern.Set {
		if _, err := regexp.Compile(pattern.Value); err != nil {
			c.errorf(pattern.At, "see https://github.com/google/re2/wiki/Syntax", "`pattern`: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	c.periods(check)
}

func (c *checker) periods(check *Healthcheck) {
	for name, period := range map[string]Period{"interval": check.Interval, "timeout": check.Timeout, "start_interval": check.StartInterval} {
		if period.Set && period.Value <= 0 {
			c.errorf(period.At, "", "`%s` must be longer than 0", name)
		}
	}
	if check.Retries.Set && check.Retries.Value < 1 {
		c.errorf(check.Retries.At, "", "`retries` must be at least 1")
	}
	interval := orDefault(check.Interval, defaultInterval)
	if check.StartInterval.Set && check.StartInterval.Value > interval {
		c.errorf(check.StartInterval.At, "", "`start_interval` is longer than `interval` (%s)", interval)
	}
}

func (c *checker) container(r *Resource, fields *ContainerFields) {
	if entry := fields.Entrypoint; entry.Set && (len(entry.Args) == 0 || len(entry.Args) == 1 && strings.TrimSpace(entry.Args[0].Value) == "") {
		c.errorf(entry.At, "leave it out for the image's own", "`entrypoint` is empty")
	}
	env := map[string]bool{}
	for _, entry := range fields.Env {
		env[entry.Key] = true
		c.variable(entry)
	}
	for _, entry := range fields.Secrets {
		c.variable(entry)
		if env[entry.Key] {
			c.errorf(entry.KeyAt, "keep one of them", "`%s` stands both in env and in secrets", entry.Key)
		}
	}
	if fields.Limits.CPUs.Set {
		if _, err := parseCPUs(fields.Limits.CPUs.Value); err != nil {
			c.errorf(fields.Limits.CPUs.At, "", "`cpus`: %v", err)
		}
	}
	if fields.Limits.Memory.Set {
		if _, err := parseBytes(fields.Limits.Memory.Value); err != nil {
			c.errorf(fields.Limits.Memory.At, "", "`memory`: %v", err)
		}
	}
	if fields.Scheme.Set && len(fields.Ports) == 0 {
		c.errorf(fields.Scheme.At, "", "`scheme` makes a url, for which `%s` needs a port", r.Name)
	}
}

func (c *checker) variable(entry Entry) {
	if strings.ContainsAny(entry.Key, "=\x00 ") {
		c.errorf(entry.KeyAt, "", "`%s` can't name a variable", entry.Key)
	}
}

// injected finds two outputs that would be injected under one name (L8).
func (c *checker) injected(r *Resource) {
	from := map[string]string{}
	for _, need := range r.needs {
		target := c.byName[need.Resource]
		if target == nil {
			continue
		}
		for _, property := range target.properties() {
			name := InjectedName(target.Name, property)
			if other, taken := from[name]; taken && other != target.Name {
				c.errorf(r.At, "rename one of the two resources", "`%s` gets the variable %s from both `%s` and `%s`", r.Name, name, other, target.Name)
				return
			}
			from[name] = target.Name
		}
	}
}

// InjectedName is the variable under which dependents get an output.
func InjectedName(resource, property string) string {
	return "LSH_" + strings.ToUpper(strings.ReplaceAll(resource+"_"+property, "-", "_"))
}

func (r *Resource) findNeeds() []Need {
	needs := slices.Clone(r.common().DependsOn)
	texts(r.fields(), func(t *Text) {
		parsed, err := parseTemplate(t.Value)
		if err != nil {
			return
		}
		parsed.references(func(ref *variable) {
			known := func(n Need) bool { return n.Resource == ref.resource }
			if ref.env == "" && ref.resource != r.Name && !slices.ContainsFunc(needs, known) {
				needs = append(needs, Need{Resource: ref.resource, Condition: Ready, At: t.At})
			}
		})
	})
	return needs
}

// hostPorts finds two resources that publish the same port.
func (c *checker) hostPorts() {
	taken := map[string]string{}
	for _, r := range c.doc.Resources {
		fields := r.containerFields()
		if fields == nil {
			continue
		}
		for _, port := range fields.Ports {
			if port.HostPort == 0 {
				continue
			}
			key := fmt.Sprintf("%s:%d/%s", port.HostIP, port.HostPort, port.Protocol)
			if other, ok := taken[key]; ok {
				c.errorf(port.At, "choose another host port, or 0 for any free one", "port %s is already published by `%s`", key, other)
				continue
			}
			taken[key] = r.Name
		}
	}
}

// cycle reports a way through the named resources that leads back to itself.
func (c *checker) cycle(what string, names func(*Resource) []string) {
	_, cycle := order(c.doc.Resources, names)
	if cycle == nil {
		return
	}
	first := c.byName[cycle[0]]
	c.errorf(first.At, "take one of these out", "%s: %s", what, strings.Join(cycle, " -> "))
}

func (r *Resource) needNames() []string {
	names := make([]string, len(r.needs))
	for i, need := range r.needs {
		names[i] = need.Resource
	}
	return names
}

// order sorts resources so that those which they name come first, or returns a
// cycle.
func order(resources []*Resource, names func(*Resource) []string) (sorted []*Resource, cycle []string) {
	byName := map[string]*Resource{}
	for _, r := range resources {
		byName[r.Name] = r
	}
	const (
		under = 1
		done  = 2
	)
	state := map[string]int{}
	var path []string
	var visit func(*Resource) []string
	visit = func(r *Resource) []string {
		if state[r.Name] == done {
			return nil
		}
		if state[r.Name] == under {
			return append(slices.Clone(path[slices.Index(path, r.Name):]), r.Name)
		}
		state[r.Name] = under
		path = append(path, r.Name)
		for _, name := range names(r) {
			target := byName[name]
			if target == nil || target == r {
				continue // reported elsewhere
			}
			if found := visit(target); found != nil {
				return found
			}
		}
		path = path[:len(path)-1]
		state[r.Name] = done
		sorted = append(sorted, r)
		return nil
	}
	for _, r := range resources {
		if found := visit(r); found != nil {
			return nil, found
		}
	}
	return sorted, nil
}
