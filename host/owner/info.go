package owner

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/google/renameio/v2"
	"github.com/shirou/gopsutil/v4/process"
)

// Info says who owns a project. It is for people, and for finding the socket:
// only the lock decides.
type Info struct {
	Project string `json:"project"`
	// Doing is the command that holds the lock, such as "up".
	Doing string `json:"doing"`
	PID   int    `json:"pid"`
	// ProcessStart tells the process from a later one with the same PID, in
	// milliseconds since 1970.
	ProcessStart int64     `json:"process_start_ms,omitempty"`
	Since        time.Time `json:"since"`
	// Manifest is the path of the manifest; empty without one.
	Manifest string `json:"manifest,omitempty"`
	Version  string `json:"version,omitempty"`
	Runtime  string `json:"runtime,omitempty"`
	Socket   string `json:"socket,omitempty"`
}

// ofThisProcess completes i with what is known of the process that runs.
func (i Info) ofThisProcess() Info {
	i.PID = os.Getpid()
	i.ProcessStart = startOf(i.PID)
	i.Since = time.Now()
	return i
}

// startOf is when the process began, in milliseconds since 1970; 0 if there is
// none, or if the system doesn't tell.
func startOf(pid int) int64 {
	seen, err := process.NewProcess(int32(pid)) //nolint:gosec // a pid fits
	if err != nil {
		return 0
	}
	began, err := seen.CreateTime()
	if err != nil {
		return 0
	}
	return began
}

// clockSlack is how far two readings of a process's start may be apart, since
// the system computes them from its clock.
const clockSlack = 5 * time.Second

// Alive says whether the process that wrote i still runs.
func (i Info) Alive() bool {
	now := startOf(i.PID)
	if now == 0 || i.ProcessStart == 0 {
		return now != 0
	}
	return time.Duration(max(now-i.ProcessStart, i.ProcessStart-now))*time.Millisecond < clockSlack
}

// read returns what the file says; nil when there is none, or none that can be
// understood.
func read(path string) *Info {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var info Info
	if json.Unmarshal(data, &info) != nil || info.PID == 0 {
		return nil
	}
	return &info
}

func (i Info) write(path string) error {
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(data, '\n'), 0o600, renameio.WithStaticPermissions(0o600))
}

// String describes the owner on one line.
func (i Info) String() string {
	text := fmt.Sprintf("`%s` (pid %d, since %s", i.Doing, i.PID, i.Since.Local().Format(time.DateTime))
	if i.Manifest != "" {
		text += ", " + i.Manifest
	}
	return text + ")"
}
