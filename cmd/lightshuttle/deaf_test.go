package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// An engine that takes connections and never answers. Ctrl-C ends the wait for
// it, before anything has happened.
func TestSignalWhileTheEngineIsDeaf(t *testing.T) {
	for _, command := range []string{"up", "down"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			listening, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listening.Close() })
			dir := t.TempDir()
			text := "project: {name: deaf-" + command + "}\nresources: {app: {container: {image: busybox}}}\n"
			if err := os.WriteFile(dir+"/lightshuttle.yml", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			program := exec.Command("lightshuttle", command)
			program.Dir = dir
			program.Env = append(os.Environ(), "DOCKER_HOST=tcp://"+listening.Addr().String())
			var stderr strings.Builder
			program.Stderr = &stderr
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			connection, err := listening.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			if err := program.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_ = program.Wait() // the code says it
			if code := program.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d, want 130:\n%s", code, stderr.String())
			}
			if got := stderr.String(); strings.Count(got, "error: ") != 1 {
				t.Errorf("it says:\n%s", got)
			}
		})
	}
}
