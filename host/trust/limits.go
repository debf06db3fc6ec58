package trust

import (
	"errors"
	"fmt"
	"time"

	"github.com/docker/go-units"

	"github.com/lightshuttle/lightshuttle/host/wasm"
)

// Limits are a plugin's, as they are written: sizes such as 64MiB, times such as
// 2m. What is left out has its default.
type Limits struct {
	Memory      string `yaml:"memory,omitempty"`
	Output      string `yaml:"output,omitempty"`
	OpTimeout   string `yaml:"op_timeout,omitempty"`
	PullTimeout string `yaml:"pull_timeout,omitempty"`
	Grace       string `yaml:"grace,omitempty"`
	Compile     string `yaml:"compile,omitempty"`
	Processes   int    `yaml:"processes,omitempty"`
	Operations  int    `yaml:"operations,omitempty"`
}

// Parse returns the limits as numbers.
func (l Limits) Parse() (wasm.Limits, error) {
	limits := wasm.Limits{Processes: l.Processes, Operations: l.Operations}
	var err error
	limits.Memory = size(&err, "memory", l.Memory)
	limits.Output = int(size(&err, "output", l.Output))
	limits.OpTimeout = duration(&err, "op_timeout", l.OpTimeout)
	limits.PullTimeout = duration(&err, "pull_timeout", l.PullTimeout)
	limits.Grace = duration(&err, "grace", l.Grace)
	limits.Compile = duration(&err, "compile", l.Compile)
	return limits, err
}

func size(err *error, name, text string) int64 {
	if text == "" {
		return 0
	}
	n, parseErr := units.RAMInBytes(text)
	if parseErr != nil || n <= 0 {
		*err = errors.Join(*err, fmt.Errorf("limits.%s: expected a size such as 64MiB, got %q", name, text))
	}
	return n
}

func duration(err *error, name, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, parseErr := time.ParseDuration(text)
	if parseErr != nil || d <= 0 {
		*err = errors.Join(*err, fmt.Errorf("limits.%s: expected a duration such as 2m, got %q", name, text))
	}
	return d
}
