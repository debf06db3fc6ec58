package sdk

import (
	"encoding/json"
	"fmt"
	"time"
)

// Duration is a time.Duration whose JSON form is a whole number of
// milliseconds. A duration between zero and one millisecond is written as 1,
// so that "very short" never turns into "none".
type Duration time.Duration

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String formats d as time.Duration does.
func (d Duration) String() string { return time.Duration(d).String() }

// mostMilliseconds is the longest duration that there is, about 292 years.
const mostMilliseconds = (1<<63 - 1) / int64(time.Millisecond)

// MarshalJSON writes d as whole milliseconds, rounded up.
func (d Duration) MarshalJSON() ([]byte, error) {
	ms := time.Duration(d) / time.Millisecond
	if time.Duration(d)%time.Millisecond > 0 && int64(ms) < mostMilliseconds {
		ms++
	}
	return json.Marshal(int64(ms))
}

// UnmarshalJSON reads whole milliseconds.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var ms int64
	if err := json.Unmarshal(data, &ms); err != nil {
		return fmt.Errorf("a duration is a whole number of milliseconds: %w", err)
	}
	if ms > mostMilliseconds || ms < -mostMilliseconds {
		return fmt.Errorf("a duration of %d ms is out of range", ms)
	}
	*d = Duration(time.Duration(ms) * time.Millisecond)
	return nil
}
