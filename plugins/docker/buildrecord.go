package docker

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// outputLimit is how much is kept of what a step printed.
const outputLimit = 8 << 10

// buildRecord follows a build: which steps there are, what they print, and
// which one failed. It hides the values of secret arguments.
type buildRecord struct {
	report  func(sdk.Progress)
	secrets *strings.Replacer
	steps   map[string]*buildStep
	done    int64
	// total is the number of steps, where the builder says it in advance.
	total  int64
	failed *buildStep
	// last is the step that was heard of last.
	last *buildStep
}

type buildStep struct {
	name      string
	completed bool
	output    []byte
}

func newBuildRecord(spec sdk.Spec, report func(sdk.Progress)) *buildRecord {
	var values []string
	for _, name := range spec.Build.SecretArgs {
		if value := spec.Build.Args[name]; value != "" {
			values = append(values, value)
		}
	}
	// Where one begins with another, the longer has to be looked for first.
	slices.SortFunc(values, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, value := range values {
		pairs = append(pairs, value, "***")
	}
	return &buildRecord{report: report, secrets: strings.NewReplacer(pairs...), steps: map[string]*buildStep{}}
}

func (r *buildRecord) redact(text string) string { return r.secrets.Replace(text) }

// step returns the step with that key, new or known.
func (r *buildRecord) step(key string) *buildStep {
	step := r.steps[key]
	if step == nil {
		step = &buildStep{}
		r.steps[key] = step
	}
	r.last = step
	return step
}

func (r *buildRecord) began(step *buildStep, name string) {
	if step.name == "" {
		step.name = r.redact(name)
		r.tell(step.name)
	}
}

func (r *buildRecord) completed(step *buildStep) {
	if !step.completed {
		step.completed = true
		r.done++
	}
}

func (r *buildRecord) tell(status string) {
	r.report(sdk.Progress{Action: "build", Status: status, Current: r.done, Total: max(r.total, int64(len(r.steps)))})
}

func (r *buildRecord) printed(step *buildStep, data []byte) {
	step.output = append(step.output, data...)
	if surplus := len(step.output) - outputLimit; surplus > 0 {
		step.output = append(step.output[:0], step.output[surplus:]...)
	}
}

func (r *buildRecord) failedStep() string {
	if r.failed == nil {
		return ""
	}
	return r.failed.name
}

// output is what the failed step printed last.
func (r *buildRecord) output() string {
	if r.failed == nil {
		return ""
	}
	text := strings.ToValidUTF8(string(r.failed.output), "�")
	if len(r.failed.output) == outputLimit {
		// It begins amid a line.
		_, whole, ok := strings.Cut(text, "\n")
		if ok {
			text = whole
		}
	}
	return strings.TrimSpace(r.redact(text))
}

var buildPrefixes = regexp.MustCompile(`^(failed to solve( with frontend dockerfile\.v0)?: |failed to build LLB: |failed to create LLB definition: |rpc error: code = \w+ desc = |solver: )+`)

// plainBuild is a builder's error without the words that say nothing to a user.
func plainBuild(text string) string {
	return strings.TrimSpace(buildPrefixes.ReplaceAllString(text, ""))
}
