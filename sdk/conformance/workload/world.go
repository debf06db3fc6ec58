package workload

import (
	"context"
	"io"
	"net"
	"time"
)

// World is what the program sees of where it runs.
type World struct {
	Environ []string
	Stdout  io.Writer
	Stderr  io.Writer
	// Notify asks for the signals by name, such as "SIGTERM". A program that
	// doesn't ask is ended by them.
	Notify       func() <-chan string
	Listen       func(network, address string) (net.Listener, error)
	ListenPacket func(network, address string) (net.PacketConn, error)
	Dial         func(ctx context.Context, network, address string) (net.Conn, error)
	ReadFile     func(name string) ([]byte, error)
	WriteFile    func(name string, data []byte) error
	// Allocate takes that much memory and keeps it.
	Allocate func(bytes int64) error
	// Self describes the process and the bounds that it is under.
	Self func() Self
}

// Self is what a process can say of itself.
type Self struct {
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`
	Dir      string            `json:"dir"`
	UID      int               `json:"uid"`
	GID      int               `json:"gid"`
	Hostname string            `json:"hostname"`
	PID      int               `json:"pid"`
	// Memory, CPU (in billionths) and PIDs are the limits, 0 where there is none.
	Memory int64 `json:"memory"`
	CPU    int64 `json:"cpu"`
	PIDs   int64 `json:"pids"`
}

// SignalCode is the exit code with which the behaviour "signals" answers a
// signal of that number.
func SignalCode(number int) int { return 64 + number }

// Signals are the numbers of the signals that the behaviour "signals" answers.
var Signals = map[string]int{"SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGUSR1": 10, "SIGUSR2": 12, "SIGTERM": 15}

// LineWidth is the length of each line of "lines", its line break included.
const LineWidth = 1024

// Strange is text that careless hands break: controls, wide characters, a
// terminal's escapes, an empty line.
const Strange = "tab\there \x1b[31mred\x1b[0m nul\x00 bell\a é 世界 😀 {\"json\":1}\r\n\n  spaces  \nend\n"

// pause waits, or says that the program was killed.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
