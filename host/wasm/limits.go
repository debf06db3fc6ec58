package wasm

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Limits bound what a plugin may use. A zero field means its default.
type Limits struct {
	// Memory is the memory of an instance, in bytes; 64 MiB at most and by
	// default.
	Memory int64
	// OpTimeout is the time for an operation; 2 minutes by default. Those that
	// take as long as their caller wants (logs, exec, events, waiting) have none.
	OpTimeout time.Duration
	// PullTimeout is the time for preparing an image, and for a start where the
	// plugin can't prepare images; 30 minutes by default.
	PullTimeout time.Duration
	// Grace is the time that an operation has after its end was called for, to
	// tidy up; by default 2 seconds, and 15 for a start, which has to remove what it
	// has begun to make.
	Grace time.Duration
	// Output is the size of an operation's result, in bytes; 4 MiB by default.
	Output int
	// Processes is how many programs an operation may have running; 8 by default.
	Processes int
	// Operations is how many operations may run at a time; 64 by default. More
	// wait.
	Operations int
	// Compile is the time that compiling may take; a minute by default, which a busy
	// machine may need.
	Compile time.Duration
}

const (
	pageSize     = 64 << 10
	mostMemory   = 64 << 20
	outputLimit  = 4 << 20
	documentSize = 1 << 20 // of a request, of standard input and of a body beside it
	runOutput    = 8 << 20 // what run keeps of a program's output, each stream
	emissionSize = 64 << 10
	logSize      = 8 << 10
	streamBuffer = 256 << 10
	stderrKept   = 16 << 10

	logBurst      = 500
	logRate       = 100 // lines a second
	emissionBurst = 500
	emissionRate  = 500 // a second
)

func (l Limits) withDefaults() Limits {
	set(&l.Memory, mostMemory)
	l.Memory = min(l.Memory, mostMemory)
	set(&l.OpTimeout, 2*time.Minute)
	set(&l.PullTimeout, 30*time.Minute)
	set(&l.Output, outputLimit)
	set(&l.Processes, 8)
	set(&l.Operations, 64)
	set(&l.Compile, time.Minute)
	return l
}

// grace is the time that an operation has to tidy up.
func (l Limits) grace(op abi.Operation) time.Duration {
	switch {
	case l.Grace > 0:
		return l.Grace
	case op == abi.Start:
		return 15 * time.Second
	}
	return 2 * time.Second
}

func set[N int | int64 | time.Duration](field *N, value N) {
	if *field <= 0 {
		*field = value
	}
}
