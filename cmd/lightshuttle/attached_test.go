package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// plain runs commands, but gives them neither input nor a terminal.
type plain struct{ ran int }

func (p *plain) Exec(_ context.Context, _ string, options sdk.ExecOptions) (int, error) {
	if options.Stdin != nil || options.TTY {
		return 0, &sdk.Error{Code: sdk.CodeUnsupported, Err: errors.New("no input")}
	}
	p.ran++
	return 5, nil
}

// A runtime without input still runs commands, unless input would be lost.
func TestExecWithoutInput(t *testing.T) {
	none, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	defer to.Close()
	before := os.Stdin
	defer func() { os.Stdin = before }()
	for _, test := range []struct {
		name  string
		stdin *os.File
		code  sdk.Code
		ran   int
	}{
		{"nothing to read", none, "", 1},
		{"a pipe", from, sdk.CodeUnsupported, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			os.Stdin = test.stdin
			a := &app{stdout: io.Discard, stderr: io.Discard, logger: slog.New(slog.DiscardHandler)}
			runtime := &plain{}
			code, err := a.attached(t.Context(), runtime, "c1", sdk.ExecOptions{Command: []string{"true"}, Stdin: os.Stdin}, false)
			if runtime.ran != test.ran || err == nil && code != 5 || err != nil && sdk.CodeOf(err) != test.code {
				t.Errorf("attached() = %d, %v after %d runs", code, err, runtime.ran)
			}
		})
	}
}
