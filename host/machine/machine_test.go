//go:build unix

package machine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, options Options) *Machine {
	t.Helper()
	m := New(options)
	t.Cleanup(func() { must(t, m.Close()) })
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sh(script string, env ...[2]string) sdk.Command {
	return sdk.Command{Program: "/bin/sh", Args: []string{"-c", script}, Env: env}
}

func TestRunKeepsBothStreamsAndTheExitCode(t *testing.T) {
	m := open(t, Options{})
	for script, code := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -9 $$": 137} {
		result, err := m.Run(t.Context(), sh("printf out; printf err >&2; "+script))
		must(t, err)
		if result.ExitCode != code || string(result.Stdout) != "out" || string(result.Stderr) != "err" || result.Truncated {
			t.Errorf("%s: got %+v", script, result)
		}
	}
}

func TestRunGivesStandardInput(t *testing.T) {
	m := open(t, Options{})
	command := sdk.Command{Program: "cat", Stdin: []byte("a\x00b")}
	result, err := m.Run(t.Context(), command)
	must(t, err)
	if string(result.Stdout) != "a\x00b" {
		t.Errorf("got %q", result.Stdout)
	}
	command.Stdin = nil
	result, err = m.Run(t.Context(), command)
	must(t, err)
	if len(result.Stdout) > 0 {
		t.Errorf("closed standard input gave %q", result.Stdout)
	}
}

func TestRunKeepsSixtyFourMiBAndSaysSo(t *testing.T) {
	m := open(t, Options{})
	result, err := m.Run(t.Context(), sh("head -c 100000000 /dev/zero; printf done >&2"))
	must(t, err)
	if len(result.Stdout) != outputLimit || !result.Truncated || string(result.Stderr) != "done" {
		t.Errorf("kept %d bytes, truncated %t, stderr %q", len(result.Stdout), result.Truncated, result.Stderr)
	}
}

func TestArgumentsReachNoShell(t *testing.T) {
	m := open(t, Options{})
	result, err := m.Run(t.Context(), sdk.Command{Program: "printf", Args: []string{"%s", "$(id) `id` ; * \n"}})
	must(t, err)
	if string(result.Stdout) != "$(id) `id` ; * \n" {
		t.Errorf("got %q", result.Stdout)
	}
}

func TestProgramsAreGivenASmallEnvironment(t *testing.T) {
	t.Setenv("MACHINE_SECRET", "1")
	t.Setenv("ENGINE_HOST", "here")
	t.Setenv("ENGINE_TLS", "no")
	m := open(t, Options{Pass: []string{"ENGINE_*"}})
	result, err := m.Run(t.Context(), sdk.Command{Program: "env", Env: [][2]string{{"ADDED", "a\nb"}, {"ENGINE_TLS", "yes"}}})
	must(t, err)
	got := string(result.Stdout)
	for _, wanted := range []string{"ENGINE_HOST=here\n", "ENGINE_TLS=yes\n", "ADDED=a\nb\n", "PATH="} {
		if !strings.Contains(got, wanted) {
			t.Errorf("%q is missing in %q", wanted, got)
		}
	}
	if strings.Contains(got, "MACHINE_SECRET") || strings.Contains(got, "ENGINE_TLS=no") {
		t.Errorf("too much in %q", got)
	}
}

func TestWhatCantBeRunIsUnavailable(t *testing.T) {
	m := open(t, Options{})
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	must(t, os.WriteFile(plain, []byte("text"), 0o600))
	rubbish := filepath.Join(folder, "rubbish")
	must(t, os.WriteFile(rubbish, []byte{0, 1, 2}, 0o700))
	for program, words := range map[string]string{
		"no-such-program-anywhere":         "there is no program",
		filepath.Join(folder, "no-such"):   "there is no program",
		plain:                              "permission denied",
		rubbish:                            "exec format error",
		filepath.Join(folder, "a\x00zero"): "can't be run",
	} {
		_, runErr := m.Run(t.Context(), sdk.Command{Program: program})
		_, spawnErr := m.Spawn(t.Context(), sdk.Command{Program: program})
		for _, err := range []error{runErr, spawnErr} {
			if !sdk.IsCode(err, sdk.CodeUnavailable) || !strings.Contains(err.Error(), words) {
				t.Errorf("%q: got %v, want %q", program, err, words)
			}
		}
	}
}

// awaitGone waits until a process is no more.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d still runs", pid)
		}
	}
}

func awaitFile(t *testing.T, path string) string {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		data, err := os.ReadFile(path)
		if err == nil && strings.HasSuffix(string(data), "\n") {
			return strings.TrimSpace(string(data))
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody wrote %s", path)
		}
	}
}

// Both a child that obeys and one that ignores the signal end with ctx.
func TestTheEndOfTheContextKillsTheWholeGroup(t *testing.T) {
	m := open(t, Options{})
	for _, trap := range []string{"", "trap '' TERM; "} {
		note := filepath.Join(t.TempDir(), "pid")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := m.Run(ctx, sh(trap+"sleep 1000 & echo $! > "+note+"; wait; wait; sleep 1000"))
			ended <- err
		}()
		pid, err := strconv.Atoi(awaitFile(t, note))
		must(t, err)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		awaitGone(t, pid)
	}
}

func TestAChildThatKeepsTheOutputOpenDoesntHoldUpRun(t *testing.T) {
	m := open(t, Options{})
	note := filepath.Join(t.TempDir(), "pid")
	result, err := m.Run(t.Context(), sh("sleep 1000 & echo $! > "+note+"; echo over"))
	must(t, err)
	if string(result.Stdout) != "over\n" {
		t.Errorf("got %q", result.Stdout)
	}
	pid, err := strconv.Atoi(awaitFile(t, note))
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
}

func TestSpawnStreams(t *testing.T) {
	m := open(t, Options{})
	p, err := m.Spawn(t.Context(), sh("echo first; read x; echo never"))
	must(t, err)
	first := make([]byte, 6)
	_, err = io.ReadFull(p.Stdout(), first)
	must(t, err)
	if string(first) != "first\n" {
		t.Errorf("got %q", first)
	}
	must(t, p.Close())
}

func TestSpawnWaitsForTheExitCode(t *testing.T) {
	m := open(t, Options{})
	p, err := m.Spawn(t.Context(), sh("echo out; echo err >&2; exit 3"))
	must(t, err)
	defer p.Close()
	out, _ := io.ReadAll(p.Stdout())
	errs, _ := io.ReadAll(p.Stderr())
	code, err := p.Wait()
	must(t, err)
	if code != 3 || string(out) != "out\n" || string(errs) != "err\n" {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
}

func TestCloseKillsTheGroup(t *testing.T) {
	m := open(t, Options{})
	note := filepath.Join(t.TempDir(), "pid")
	p, err := m.Spawn(t.Context(), sh("sleep 1000 & echo $! > "+note+"; wait"))
	must(t, err)
	pid, err := strconv.Atoi(awaitFile(t, note))
	must(t, err)
	must(t, p.Close())
	awaitGone(t, pid)
}

func TestKillAsksOrForces(t *testing.T) {
	m := open(t, Options{})
	for force, code := range map[bool]int{false: 9, true: 137} {
		p, err := m.Spawn(t.Context(), sh("trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"))
		must(t, err)
		ready := make([]byte, 6)
		_, err = io.ReadFull(p.Stdout(), ready)
		must(t, err)
		must(t, p.Kill(force))
		_, _ = io.ReadAll(p.Stdout())
		got, err := p.Wait()
		must(t, err)
		if got != code {
			t.Errorf("force %t: exit code %d, want %d", force, got, code)
		}
		must(t, p.Close())
	}
}

func TestDoReachesNamedEndpointsAlone(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Sent"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	})}
	go server.Serve(listener)
	defer server.Close()

	m := open(t, Options{Endpoints: map[string]string{"engine": "unix://" + socket, "bad": "ftp://x", "gone": "unix:///no/such/socket"}})
	response, err := m.Do(t.Context(), sdk.Request{
		Endpoint: "engine", Method: http.MethodPost, Path: "/a b", Query: [][2]string{{"q", "1&2"}},
		Header: [][2]string{{"X-Sent", "yes"}}, Body: strings.NewReader("hello"),
	})
	must(t, err)
	body, _ := io.ReadAll(response.Body)
	must(t, response.Body.Close())
	seen := ""
	for _, header := range response.Header {
		if header[0] == "X-Seen" {
			seen = header[1]
		}
	}
	if response.Status != http.StatusTeapot || string(body) != "hello" || seen != "POST /a%20b?q=1%262 yes" {
		t.Errorf("got %d, %q, %q", response.Status, body, seen)
	}
	response, err = m.Do(t.Context(), sdk.Request{Endpoint: "engine", Method: http.MethodGet, Path: "/redirect"})
	must(t, err)
	must(t, response.Body.Close())
	if response.Status != http.StatusFound {
		t.Errorf("a redirect was followed: %d", response.Status)
	}
	for _, refused := range []struct {
		request sdk.Request
		code    sdk.Code
	}{
		{sdk.Request{Endpoint: "other", Path: "/"}, sdk.CodeDenied},
		{sdk.Request{Endpoint: "engine", Path: "http://elsewhere/"}, sdk.CodeInvalid},
		{sdk.Request{Endpoint: "bad", Path: "/"}, sdk.CodeInvalid},
		{sdk.Request{Endpoint: "gone", Path: "/"}, sdk.CodeUnavailable},
	} {
		if _, err := m.Do(t.Context(), refused.request); !sdk.IsCode(err, refused.code) {
			t.Errorf("%+v: got %v", refused.request, err)
		}
	}
}

func TestLogGoesToTheLogger(t *testing.T) {
	var out bytes.Buffer
	m := open(t, Options{Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))})
	m.Log(sdk.LogDebug, "quiet")
	m.Log(sdk.LogWarn, "loud")
	if got := out.String(); !strings.Contains(got, "level=WARN msg=loud") || strings.Contains(got, "quiet") {
		t.Errorf("got %q", got)
	}
}

func TestSleepEndsWithTheContext(t *testing.T) {
	m := open(t, Options{})
	must(t, m.Sleep(t.Context(), time.Nanosecond))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
