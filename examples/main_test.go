package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// program is the path of the program, built for these tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lightshuttle-examples-")
	if err != nil {
		fail(err)
	}
	program = filepath.Join(dir, "lightshuttle")
	output, err := exec.Command("go", "build", "-o", program, "../cmd/lightshuttle").CombinedOutput()
	if err != nil {
		fail(fmt.Errorf("build the program: %w\n%s", err, output))
	}
	// What must be remembered of processes is none of the user's.
	if err := os.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state")); err != nil {
		fail(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir) // a folder in /tmp is no reason to fail
		os.Exit(code)
	}))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
