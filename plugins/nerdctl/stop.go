package nerdctl

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Stop implements sdk.Runtime. The programs count grace periods in seconds.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) error {
	c := call{op: "stop", args: []string{"stop", "--time", strconv.Itoa(wholeSeconds(grace)), id}, waits: true, slow: true}
	_, err := r.run(ctx, c)
	if err != nil && strings.Contains(err.Error(), "paused") {
		// A paused process can't obey a signal.
		if _, err := r.run(ctx, call{op: "stop", args: []string{"unpause", id}}); err != nil && !gone(err) {
			return err
		}
		_, err = r.run(ctx, c)
	}
	if gone(err) {
		return nil
	}
	return err
}

// removeTries is how often a removal is tried that something came in between of:
// another removal, or the engine's own start of a container that has a restart
// policy.
const removeTries = 4

// Remove implements sdk.Remover. Some programs call it a success when they could
// not remove what they were asked to, and a failure when it was gone; the truth
// is what is left.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	args := append([]string{"rm", "--force", "--volumes"}, r.dialect.removeNow...)
	c := call{op: "remove", args: append(args, id), slow: true}
	for tries := 1; ; tries++ {
		result, err := r.attempt(ctx, c)
		if err != nil {
			return err
		}
		if result.ExitCode == 0 && !complains(result.Stderr) {
			return nil
		}
		err = r.refused("remove", "", result)
		if gone(err) {
			return nil
		}
		if _, lookErr := r.inspectOne(ctx, id); gone(lookErr) {
			return nil
		}
		again := result.ExitCode == 0 || cameBetween().MatchString(err.Error())
		if !again || tries == removeTries {
			return err
		}
	}
}

// cameBetween is what podman says when a container began or ended by itself
// while it was being removed.
var cameBetween = matching(`could not be stopped|container state improper`)

// complains says whether there is an error in a log.
func complains(stderr []byte) bool {
	for line := range strings.Lines(string(stderr)) {
		if level, message, ok := parseLog(strings.TrimSpace(line)); ok && level == "error" && strings.Contains(message, "errors:") {
			return true
		}
	}
	return false
}
