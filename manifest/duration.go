package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

var durationForm = regexp.MustCompile(`^(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$`)

// ParseDuration reads a duration: a number with a unit (ns, us, ms, s, m, h), or
// several in a row, such as 1m30s. It isn't negative.
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "0" {
		return 0, nil
	}
	if !durationForm.MatchString(text) {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is too long for a duration", text)
	}
	if duration == 0 && strings.ContainsAny(text, "123456789") {
		return 0, errors.New("a duration can't be shorter than 1ns")
	}
	return duration, nil
}
