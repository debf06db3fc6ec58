package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// gate measures the time from the moment in which a probe could pass to the
// moment in which the engine is asked to create the dependent, against one exec
// of that probe. The server says when it can answer; the engine says when the
// dependent was created.
func gate(o options, r *report) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer api.Close()
	var delays, execs series
	// Many moments between two probes, early and late.
	for round := range max(12, 3*o.rounds) {
		after := time.Duration(200+137*round) * time.Millisecond
		s := stack{Name: "gate", Services: []service{server("a"), {Name: "b", Image: tiny, Command: []string{"wait"}, Needs: []string{"a"}}}}
		s.Services[0].Env = map[string]string{"READY_AFTER": after.String()}
		delay, exec, err := gateOnce(o, api, dir, s)
		if err != nil {
			return err
		}
		delays, execs = append(delays, milliseconds(delay)), append(execs, milliseconds(exec))
	}
	r.figure("ready to dependent", "lightshuttle", "ms", delays)
	r.figure("one exec of the probe", "floor", "ms", execs)
	r.target("ready to dependent ÷ one exec", delays.median()/execs.median(), 2.5)
	return nil
}

func gateOnce(o options, api *client.Client, dir string, s stack) (delay, exec time.Duration, err error) {
	manifest, _, err := s.write(dir)
	if err != nil {
		return 0, 0, err
	}
	up, err := begin(o.program, "up", "--json", "-f", manifest)
	if err != nil {
		return 0, 0, err
	}
	defer up.end()
	ctx := context.Background()
	ready, err := readyMoment(ctx, api, s.project("ls")+".a")
	if err != nil {
		return 0, 0, err
	}
	dependent, err := api.ContainerInspect(ctx, s.project("ls")+".b")
	if err != nil {
		return 0, 0, err
	}
	created, err := time.Parse(time.RFC3339Nano, dependent.Created)
	if err != nil {
		return 0, 0, err
	}
	f := &floor{api: api}
	began := time.Now()
	if _, err := f.exec(ctx, s.project("ls")+".a", s.Services[0].Check.Test); err != nil {
		return 0, 0, err
	}
	return created.Sub(ready), time.Since(began), nil
}

// readyMoment reads from the log of tiny when it began to listen.
func readyMoment(ctx context.Context, api *client.Client, name string) (time.Time, error) {
	stream, err := api.ContainerLogs(ctx, name, container.LogsOptions{ShowStdout: true})
	if err != nil {
		return time.Time{}, err
	}
	defer stream.Close()
	buffer := make([]byte, 4096)
	n, _ := stream.Read(buffer)
	text := string(buffer[:n])
	for n > 0 && !strings.Contains(text, "ready ") {
		if n, err = stream.Read(buffer); n > 0 {
			text += string(buffer[:n])
		} else if err != nil {
			break
		}
	}
	_, after, ok := strings.Cut(text, "ready ")
	digits, _, _ := strings.Cut(after, "\n")
	nanoseconds, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if !ok || err != nil {
		return time.Time{}, fmt.Errorf("%s doesn't say when it was ready: %q", name, text)
	}
	return time.Unix(0, nanoseconds), nil
}
