package owner

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// asHelper makes the test's own program take a project, say so, and hold it
// until it is killed or its input ends.
const asHelper = "LIGHTSHUTTLE_TEST_TAKES"

func TestMain(m *testing.M) {
	if project := os.Getenv(asHelper); project != "" {
		os.Exit(holdUntilTold(project))
	}
	goleak.VerifyTestMain(m)
}

func holdUntilTold(project string) int {
	folder, err := Open()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	o, err := folder.Take(Info{Project: project, Doing: "up", Manifest: "/shop/lightshuttle.yml"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("taken")
	_, _ = os.Stdin.Read(make([]byte, 1))
	if err := o.Release(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// anotherOwner starts a process that owns the project.
func anotherOwner(t *testing.T, project string) (process *exec.Cmd, letGo func()) {
	t.Helper()
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), asHelper+"="+project)
	stdin, err := helper.StdinPipe()
	must(t, err)
	stdout, err := helper.StdoutPipe()
	must(t, err)
	must(t, helper.Start())
	t.Cleanup(func() {
		_ = helper.Process.Kill()
		_ = helper.Wait()
	})
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || said != "taken\n" {
		t.Fatalf("the other process says %q, %v", said, err)
	}
	return helper, func() { _ = stdin.Close() }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// runtimeFolder gives the test a folder of its own for what lives at run time.
func runtimeFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "o") //nolint:usetesting // the path of a socket has to be short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return dir
}
