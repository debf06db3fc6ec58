//go:build unix

package process

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary plays all roles: that of the supervisor, and those of the
// programs that it runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "supervise" {
		if err := Supervise(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if role := os.Getenv("TEST_ROLE"); role != "" {
		play(role, os.Args[1:])
		return
	}
	goleak.VerifyTestMain(m)
}

// play is what the test's programs do.
func play(role string, args []string) {
	switch role {
	case "binary":
		_, _ = os.Stdout.Write(everyByte())
	case "flood":
		count, _ := strconv.Atoi(args[0])
		line := strings.Repeat("x", 99) + "\n"
		for range count {
			_, _ = os.Stdout.WriteString(line)
		}
	case "escape":
		// A grandchild in a session of its own, whose parent has gone.
		daemon := exec.Command(os.Args[0], args...)
		daemon.Env = append(os.Environ(), "TEST_ROLE=daemon")
		daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := daemon.Start(); err != nil {
			panic(err)
		}
	case "echo":
		listener, err := net.Listen("tcp", args[0])
		if err != nil {
			panic(err)
		}
		fmt.Println("ready")
		for {
			conn, err := listener.Accept()
			if err != nil {
				panic(err)
			}
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	case "daemon":
		signal.Ignore(syscall.SIGTERM)
		if err := os.WriteFile(args[0]+".new", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			panic(err)
		}
		if err := os.Rename(args[0]+".new", args[0]); err != nil {
			panic(err)
		}
		<-time.After(time.Hour)
	}
}

func everyByte() []byte {
	var all []byte
	for range 300 {
		for b := range 256 {
			all = append(all, byte(b))
		}
	}
	return bytes.TrimSuffix(all, []byte("\n"))
}

// superviseCommand is the command of the tests. With the race detector, a program
// stays for a second after its end unless it is told otherwise.
var superviseCommand = []string{"env", "GORACE=atexit_sleep_ms=0", os.Args[0], "supervise"}
