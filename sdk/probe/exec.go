package probe

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// outputLimit is how much of a check's output is kept; engines keep as much.
const outputLimit = 4096

// Exec is an attempt that runs test inside the container and passes when it
// exits 0.
func Exec(runtime sdk.Execer, id string, test []string) Attempt {
	return func(ctx context.Context) (Result, error) {
		var output tail
		exitCode, err := runtime.Exec(ctx, id, sdk.ExecOptions{Command: test, Stdout: &output, Stderr: &output})
		if err != nil {
			return Result{}, err
		}
		if exitCode == 0 {
			return Result{Passed: true, Output: output.String()}, nil
		}
		text := strings.TrimSpace(output.String())
		if text == "" {
			text = fmt.Sprintf("exit code %d", exitCode)
		}
		return Result{Output: text}, nil
	}
}

// tail is a writer that keeps the last outputLimit bytes. Both streams of a
// command may write to it at once.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if surplus := len(t.kept) - outputLimit; surplus > 0 {
		t.kept = append(t.kept[:0], t.kept[surplus:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.kept), "�")
}
