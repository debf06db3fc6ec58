package main

import (
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
)

func TestExec(t *testing.T) {
	s := newStack(t, twoThatRun)
	s.run("up", "-d").exited(0)
	r := s.run("exec", "app", "--", "sh", "-c", "echo out; echo err >&2; exit 7").exited(7)
	if r.stdout != "out\n" || r.stderr != "err\n" {
		t.Errorf("stdout %q, stderr %q", r.stdout, r.stderr)
	}
	s.run("exec", "-e", "A=b c", "-u", "1000", "-w", "/tmp", "app", "sh", "-c", "echo $A; id -u; pwd").exited(0).prints("b c\n1000\n/tmp\n")
	s.run("exec", "app").exited(2).says("needs a command to run")
	s.run("exec").exited(2)
	s.run("exec", "nobody", "--", "true").exited(4).says("nobody")

	// What is piped into it comes to its end.
	piped := exec.Command("lightshuttle", "exec", "app", "cat")
	piped.Dir, piped.Stdin = s.dir, strings.NewReader(strings.Repeat("line\n", 100_000))
	output, err := piped.Output()
	if err != nil || len(output) != 500_000 {
		t.Errorf("%d bytes came back, %v", len(output), err)
	}

	// On a terminal the command has one, of the same size.
	onTerminal := exec.Command("lightshuttle", "exec", "app", "--", "sh", "-c", "test -t 0 && test -t 1 && until stty size | grep '30 100'; do usleep 20000; done; read word; echo got $word; exit 3")
	onTerminal.Dir = s.dir
	terminal, err := pty.StartWithSize(onTerminal, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if _, err := terminal.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(terminal) // it ends with an error, as terminals do
	_ = onTerminal.Wait()            // the code says it
	if code := onTerminal.ProcessState.ExitCode(); code != 3 || !strings.Contains(string(shown), "got hello\r\n") {
		t.Errorf("exit code %d:\n%s", code, shown)
	}

	s.run("stop", "app").exited(0)
	s.run("exec", "app", "--", "true").exited(4).says("its container is exited", "`lightshuttle start app`")
	s.run("down").exited(0)
}
