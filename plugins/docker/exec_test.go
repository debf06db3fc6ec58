package docker

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestExec(t *testing.T) {
	s := newStage(t)
	id := s.start(t, s.script("box", "exec sleep 1000"))
	for name, test := range map[string]struct {
		options        sdk.ExecOptions
		code           int
		stdout, stderr string
	}{
		"both outputs": {sdk.ExecOptions{Command: []string{"sh", "-c", "echo out; echo err >&2; exit 5"}}, 5, "out\n", "err\n"},
		"settings": {
			sdk.ExecOptions{Command: []string{"sh", "-c", "echo $A; pwd; id -u"}, Env: map[string]string{"A": "b c"}, User: "1000", WorkingDir: "/tmp"},
			0, "b c\n/tmp\n1000\n", "",
		},
		"output closed early": {sdk.ExecOptions{Command: []string{"sh", "-c", "exec >&- 2>&-; sleep 0.5; exit 6"}}, 6, "", ""},
		"binary":              {sdk.ExecOptions{Command: []string{"printf", `\001\000\377`}}, 0, "\x01\x00\xff", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			test.options.Stdout, test.options.Stderr = &stdout, &stderr
			code, err := s.Exec(t.Context(), id, test.options)
			must(t, err)
			if code != test.code || stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("got %d, %q, %q", code, stdout.String(), stderr.String())
			}
		})
	}
	t.Run("no such command", func(t *testing.T) {
		var output bytes.Buffer
		code, err := s.Exec(t.Context(), id, sdk.ExecOptions{Command: []string{"nothing-like-it"}, Stdout: &output, Stderr: &output})
		must(t, err)
		if code != 126 && code != 127 || !bytes.Contains(output.Bytes(), []byte("nothing-like-it")) {
			t.Errorf("got %d, %q", code, output.String())
		}
	})
	t.Run("its context ends", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := s.Exec(ctx, id, sdk.ExecOptions{Command: []string{"sleep", "1000"}})
		wantError(t, err, sdk.CodeTimeout)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
	t.Run("not running", func(t *testing.T) {
		_, err := s.Exec(t.Context(), s.finished(t, s.spec("ended", "exit", "0")), sdk.ExecOptions{Command: []string{"true"}})
		wantError(t, err, sdk.CodeExited)
	})
	t.Run("no such container", func(t *testing.T) {
		_, err := s.Exec(t.Context(), "no-such-container", sdk.ExecOptions{Command: []string{"true"}})
		wantError(t, err, sdk.CodeNotFound)
	})
}
