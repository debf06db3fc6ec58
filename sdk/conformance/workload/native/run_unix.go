//go:build unix

package native

import (
	"context"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// Run runs the test program with these arguments, as this very process, and
// returns its exit code.
func Run(arguments []string) int {
	world := workload.World{
		Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr,
		Notify: notify, Listen: net.Listen, ListenPacket: net.ListenPacket, Dial: (&net.Dialer{}).DialContext,
		ReadFile:  os.ReadFile,
		WriteFile: func(name string, data []byte) error { return os.WriteFile(name, data, 0o644) },
		Allocate:  allocate,
		Self:      func() workload.Self { return self(arguments) },
	}
	return workload.Run(context.Background(), world, arguments)
}

var names = map[os.Signal]string{
	syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT",
	syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2", syscall.SIGTERM: "SIGTERM",
}

func notify() <-chan string {
	signals := make(chan os.Signal, 1)
	for known := range names {
		signal.Notify(signals, known)
	}
	named := make(chan string, 1)
	go func() {
		for got := range signals {
			named <- names[got]
		}
	}()
	return named
}

// held is the memory that allocate keeps.
var held []byte

func allocate(size int64) error {
	held = make([]byte, size)
	page := os.Getpagesize()
	for i := 0; i < len(held); i += page {
		held[i] = 1
	}
	return nil
}

func self(arguments []string) workload.Self {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	dir, _ := os.Getwd()
	hostname, _ := os.Hostname()
	s := workload.Self{
		Args: arguments, Env: env, Dir: dir, UID: os.Getuid(), GID: os.Getgid(), Hostname: hostname, PID: os.Getpid(),
	}
	limits(&s)
	return s
}
