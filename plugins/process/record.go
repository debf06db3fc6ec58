//go:build unix

package process

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// record is all that is known of a process.
type record struct {
	Spec   sdk.Spec `json:"spec"`
	Status status   `json:"status"`
}

// status is what the supervisor knows of a process.
type status struct {
	State sdk.Status `json:"state"`
	// Leader is the process itself, without which its pid means nothing.
	Leader     identity  `json:"leader,omitzero"`
	CreatedAt  time.Time `json:"created_at"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	ExitCode   *int      `json:"exit_code,omitempty"`
	// Restarts is how often the supervisor started it again.
	Restarts int `json:"restarts,omitempty"`
	// Error says what else there is to say of its end.
	Error string `json:"error,omitempty"`
}

func (s status) ended() bool { return s.State == sdk.StatusExited }

// identity tells a process from one that got its pid later.
type identity struct {
	PID int `json:"pid"`
	// Start is when it started, in the system's own unit, and Boot which run of
	// the system that counts from.
	Start string `json:"start"`
	Boot  string `json:"boot"`
}

// idPattern is project, resource and something unique. It is also what keeps
// an id from leading out of the folder.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\.[A-Za-z0-9][A-Za-z0-9_-]{0,62}\.[0-9a-f]{16}$`)

func newID(project, resource string) string {
	var unique [8]byte
	_, _ = rand.Read(unique[:]) // never fails
	return project + "." + resource + "." + hex.EncodeToString(unique[:])
}

// projectOf is the project of an id, "" if it is none.
func projectOf(id string) string {
	if !idPattern.MatchString(id) {
		return ""
	}
	project, _, _ := strings.Cut(id, ".")
	return project
}
