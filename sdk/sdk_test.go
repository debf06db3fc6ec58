package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDurationIsWholeMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", time.Millisecond: "1", time.Microsecond: "1", 1500 * time.Microsecond: "2", 10 * time.Second: "10000", -time.Second: "-1000",
	} {
		got, err := json.Marshal(Duration(d))
		if err != nil || string(got) != want {
			t.Errorf("%s is written as %s, %v; want %s", d, got, err, want)
		}
	}
}

func TestDurationRefuses(t *testing.T) {
	for _, text := range []string{`"10s"`, "1.5", "null1", fmt.Sprint(math.MaxInt64)} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s is read as %s, want an error", text, d)
		}
	}
}

func TestSpecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Healthcheck{
			Test: rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "test"), Retries: rapid.IntRange(1, 100).Draw(t, "retries"),
			Interval: Duration(time.Duration(rapid.Int64Range(1, 1<<40).Draw(t, "interval")) * time.Millisecond),
		}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Healthcheck
		if err := json.Unmarshal(data, &got); err != nil || got.Interval != want.Interval || got.Retries != want.Retries {
			t.Fatalf("%s became %+v, %v", data, got, err)
		}
	})
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	var state State
	if err := json.Unmarshal([]byte(`{"id":"a","from_the_future":{"x":1},"health":"healthy"}`), &state); err != nil || state.ID != "a" || state.Health != HealthHealthy {
		t.Errorf("state = %+v, %v", state, err)
	}
}

func TestErrorText(t *testing.T) {
	tests := map[string]*Error{
		"db: pull: no such image": {Code: CodeImageNotFound, Resource: "db", Op: "pull", Err: errors.New("no such image")},
		"pull: image not found":   {Code: CodeImageNotFound, Op: "pull"},
		"db: boom":                {Resource: "db", Err: errors.New("boom")},
	}
	for want, e := range tests {
		if got := e.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	tests := []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{Errorf(CodeConflict, "op", "x"), CodeConflict},
		{fmt.Errorf("around: %w", Errorf(CodeDenied, "op", "x")), CodeDenied},
		{fmt.Errorf("around: %w", context.DeadlineExceeded), CodeTimeout},
		{context.Canceled, CodeCancelled},
		{fs.ErrNotExist, CodeInternal},
	}
	for _, test := range tests {
		if got := CodeOf(test.err); got != test.want {
			t.Errorf("CodeOf(%v) = %q, want %q", test.err, got, test.want)
		}
	}
	if wrapped := Errorf(CodeInternal, "op", "open: %w", fs.ErrNotExist); !errors.Is(wrapped, fs.ErrNotExist) {
		t.Error("the cause isn't in the chain")
	}
}
