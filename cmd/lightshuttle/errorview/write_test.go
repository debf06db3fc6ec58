package errorview

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

var update = flag.Bool("update", false, "write the golden files")

func portInUse() *sdk.Error {
	return &sdk.Error{
		Code: sdk.CodePortInUse, Op: "start", Resource: "db",
		Err:    errors.New("port 5432 on 127.0.0.1 is in use by postgres (pid 812)"),
		Hint:   "stop it, or set another port",
		Output: "FATAL: could not bind\n\tis another server running?\n",
	}
}

func cases() map[string]error {
	exited := &sdk.Error{
		Code: sdk.CodeExited, Op: "start", Err: errors.New("exited with code 1"),
		Hint: "stop it, or set another port", Output: "pg_isready: no response",
	}
	long := make([]string, 60)
	for i := range long {
		long[i] = fmt.Sprintf("line %d", i)
	}
	return map[string]error{
		"plain":       errors.New("disk full"),
		"full":        portInUse(),
		"wrapped":     fmt.Errorf("up: %w", portInUse()),
		"code-only":   &sdk.Error{Code: sdk.CodeBuildFailed, Resource: "app", Op: "build"},
		"inner-hint":  &sdk.Error{Op: "up", Code: sdk.CodeInternal, Err: fmt.Errorf("engine: %w", portInUse())},
		"joined":      errors.Join(portInUse(), fmt.Errorf("cache: %w", exited), errors.New("plain")),
		"one-phrase":  fmt.Errorf("%w: %w", errors.New("refused"), portInUse()),
		"behind-text": fmt.Errorf("app: %w", errors.Join(errors.New("one"), errors.New("two"))),
		"settings": &config.Error{Problems: []*config.Problem{
			{Origin: config.Origin{Source: config.SourceFlag, Name: "grace"}, Message: "expected a duration", Suggestion: `"10s"`},
			{Origin: config.Origin{Source: config.SourceFile, File: "c.yaml", Line: 3}, Message: `unknown key "x"`},
		}},
		"stack": fmt.Errorf("up: %w", &lifecycle.StartError{
			Failures: []lifecycle.Failure{
				{Resource: "db", Err: exited, Logs: []string{"starting", "panic: no disk"}},
				{Resource: "app", Err: &lifecycle.DependencyError{Dependency: "db", Err: exited}},
			},
			Rollback: &lifecycle.StopError{
				Failures:  []lifecycle.Failure{{Resource: "db", Err: sdk.Errorf(sdk.CodeTimeout, "stop", "no answer in 10s")}},
				Remaining: []string{"container demo_db", "network demo"},
			},
		}),
		"empty-stack": fmt.Errorf("up: it failed: %w", &lifecycle.StartError{}),
		"interrupted": &lifecycle.StartError{Interrupted: &lifecycle.InterruptedError{Signal: syscall.SIGINT}},
		"hostile": &sdk.Error{
			Code: sdk.CodeInternal, Resource: "db\x1b[2J", Op: "start", Err: errors.New("\x1b]0;owned\x07bad\rworse\nerror: forged"),
			Hint: "run \u009b31mthis\nthen that", Output: "10%\r\x1b[32m20%\x1b[0m\r\n\x1b]52;c;eA==\x07ok\x08\xff\n\n\n",
		},
		"long": &sdk.Error{
			Code: sdk.CodeInternal, Err: errors.New(strings.Join(long, "\n")), Output: strings.Join(long, "\n") + "\n" + strings.Repeat("ä", 400),
		},
		"blank-output": &sdk.Error{Code: sdk.CodeInternal, Err: errors.New("bad"), Output: " \n\n"},
	}
}

func TestWrite(t *testing.T) {
	for name, err := range cases() {
		for _, colour := range []bool{false, true} {
			file := name + ".golden"
			if colour {
				file = name + ".colour.golden"
			}
			t.Run(file, func(t *testing.T) {
				var out bytes.Buffer
				if err := Write(&out, err, colour); err != nil {
					t.Fatal(err)
				}
				compare(t, file, out.String())
			})
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestWriteNothing(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, nil, true); err != nil || out.Len() > 0 {
		t.Errorf("Write(nil) wrote %q, %v", out.String(), err)
	}
}

// A plugin may say megabytes; what is shown stays small.
func TestWriteIsBounded(t *testing.T) {
	huge := strings.Repeat("0123456789\n", 1<<20)
	var out bytes.Buffer
	err := &sdk.Error{Code: sdk.CodeInternal, Err: errors.New(huge), Hint: huge + "!", Output: huge}
	if err := Write(&out, err, false); err != nil || out.Len() > 4096 {
		t.Errorf("Write() wrote %d bytes, %v", out.Len(), err)
	}
}
