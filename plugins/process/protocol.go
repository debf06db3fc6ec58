//go:build unix

package process

import (
	"net/netip"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// The supervisor speaks JSON, one object a line. It greets, then gets requests,
// each with a number of the client's choice, and gives each of them one reply of
// that number, in any order; only to follow and to watch are answered many times.
// What a client began goes on when the client goes away, but for a start, which
// nobody knows of then.

// protocol is the version that both sides must have.
const protocol = 3

type greeting struct {
	Protocol int `json:"protocol"`
	PID      int `json:"pid"`
}

// The operations.
const (
	opStart  = "start"
	opStop   = "stop"
	opRemove = "remove"
	// opRestart sets the restart policy.
	opRestart = "restart"
	// opInspect is answered with the record of a process, opList with all.
	opInspect = "inspect"
	opList    = "list"
	// opWait is answered when the process has ended.
	opWait = "wait"
	// opFollow is answered each time when there is more output, at least once,
	// and is over when the process has ended.
	opFollow = "follow"
	// opWatch is answered once when the subscription stands, then with events.
	opWatch = "watch"
	// opGates has containers led to the processes; see gate.go.
	opGates = "gates"
	// opForget says that nobody waits any more for the reply to the request of
	// that number; it has none itself.
	opForget = "forget"
)

type request struct {
	Number uint64 `json:"number"`
	Op     string `json:"op"`
	ID     string `json:"id,omitempty"`

	// For start.
	Spec *sdk.Spec `json:"spec,omitempty"`
	// Program is the file to execute; the first of the arguments is what it is
	// called.
	Program string   `json:"program,omitempty"`
	Args    []string `json:"args,omitempty"`
	Environ []string `json:"environ,omitempty"`
	Logs    logLimit `json:"logs,omitzero"`

	// For stop.
	Grace time.Duration `json:"grace,omitempty"`
	// For restart.
	Restart sdk.RestartPolicy `json:"restart,omitzero"`
	// For watch.
	Since time.Time `json:"since,omitzero"`
	// For gates.
	Gateways []netip.Prefix `json:"gateways,omitempty"`
}

type reply struct {
	Number uint64            `json:"number"`
	Code   sdk.Code          `json:"code,omitempty"`
	Error  string            `json:"error,omitempty"`
	Hint   string            `json:"hint,omitempty"`
	Event  *sdk.Event        `json:"event,omitempty"`
	Record *record           `json:"record,omitempty"`
	All    map[string]record `json:"all,omitempty"`
}

// err is the error that the reply tells of.
func (r reply) err(op string) error {
	if r.Error == "" {
		return nil
	}
	return &sdk.Error{Code: r.Code, Op: op, Err: errText(r.Error), Hint: r.Hint}
}

type errText string

func (e errText) Error() string { return string(e) }

// logLimit bounds the output that is kept of one process.
type logLimit struct {
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
}
