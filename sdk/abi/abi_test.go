package abi

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestEveryCodeSurvivesTheCrossing(t *testing.T) {
	for _, code := range []sdk.Code{
		sdk.CodeInvalid, sdk.CodeNotFound, sdk.CodeConflict, sdk.CodePortInUse, sdk.CodeImageNotFound, sdk.CodeBuildFailed,
		sdk.CodeUnauthorized, sdk.CodeUnavailable, sdk.CodeUnsupported, sdk.CodeTimeout, sdk.CodeCancelled, sdk.CodeDenied,
		sdk.CodeExited, sdk.CodeUnhealthy, sdk.CodeInternal, "",
	} {
		if got := StatusOf(code).Code(); got != code {
			t.Errorf("%q crosses as %d and becomes %q", code, StatusOf(code), got)
		}
	}
	for _, status := range []Status{Limit, IO, BadHandle, 99, -1} {
		if got := status.Code(); got != sdk.CodeInternal {
			t.Errorf("status %d is %q, want internal", status, got)
		}
	}
	if StatusOf("from_the_future") != Internal || AlreadyExists.Code() != sdk.CodeConflict {
		t.Error("an unknown code isn't internal, or already_exists no conflict")
	}
}

func TestErrorsCross(t *testing.T) {
	want := &sdk.Error{Code: sdk.CodeExited, Op: "healthcheck", Resource: "web", Err: errors.New("exited"), Hint: "look", ExitCode: 3, Output: "last"}
	status, document := FromError(want)
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var back Error
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Err(status, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v became %+v", want, got)
	}
	if err := back.Err(Cancelled, context.Canceled); !errors.Is(err, context.Canceled) || err.Error() != want.Error() {
		t.Errorf("error = %v, want one of the same text with its cause", err)
	}
	if status, _ := FromError(nil); status != OK || (Error{}).Err(OK, nil) != nil {
		t.Error("no error became one")
	}
	if status, document := FromError(context.DeadlineExceeded); status != Timeout || document.Message == "" {
		t.Errorf("a deadline became %d, %+v", status, document)
	}
}

func TestEventsCross(t *testing.T) {
	for _, want := range []sdk.Event{
		{Type: sdk.EventExited, ID: "c1", Name: "web", Time: time.Unix(5, 6).UTC(), ExitCode: 3},
		{Type: sdk.EventLost, Err: &sdk.Error{Code: sdk.CodeUnavailable, Err: errors.New("gone")}},
	} {
		data, err := json.Marshal(FromEvent(want))
		if err != nil {
			t.Fatal(err)
		}
		var emission Emission
		if err := json.Unmarshal(data, &emission); err != nil {
			t.Fatal(err)
		}
		if got, err := emission.SDKEvent(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
	}
	if _, err := (Emission{Type: EmitEvent}).SDKEvent(); err == nil {
		t.Error("an emission without an event is one")
	}
}

// A list that is empty isn't one that is absent: with the first an image's own
// command is dropped, with the second it counts.
func TestEmptyListsCross(t *testing.T) {
	for _, want := range []sdk.Spec{{Name: "web"}, {Name: "web", Command: []string{}}, {Name: "web", Entrypoint: []string{}, Command: []string{"a"}}} {
		data, err := json.Marshal(SpecArgs{Spec: want})
		if err != nil {
			t.Fatal(err)
		}
		var got SpecArgs
		if err := json.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got.Spec, want) {
			t.Errorf("%+v became %+v, %v", want, got.Spec, err)
		}
	}
}
