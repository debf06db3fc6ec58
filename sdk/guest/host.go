package guest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// Host is the machine as a module may use it: what it requested and the user
// granted. Its zero value is ready.
type Host struct{}

var _ sdk.Host = Host{}

// Log writes one line to the program's log.
func (Host) Log(level sdk.LogLevel, message string) { hostcall.Log(int32(level), message) }

// Sleep waits, or fails with the context's error when ctx ends first.
func (Host) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Do makes an HTTP request. Its body is read before it is sent.
func (Host) Do(ctx context.Context, request sdk.Request) (*sdk.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	document, err := json.Marshal(abi.HTTPRequest{
		Endpoint: request.Endpoint, Method: request.Method, Path: request.Path,
		Query: request.Query, Headers: request.Header, Timeout: left(ctx),
	})
	if err != nil {
		return nil, err
	}
	var response abi.HTTPResponse
	if err := call(ctx, "http", &response, func() int32 { return hostcall.Request(document, body) }); err != nil {
		return nil, err
	}
	return &sdk.Response{Status: response.Status, Header: response.Headers, Body: newStream(ctx, response.Body)}, nil
}

// left is the time that ctx leaves; 0 when it says nothing.
func left(ctx context.Context) sdk.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return sdk.Duration(max(time.Until(deadline), time.Millisecond))
}

// calling keeps a call and the reading of its result together.
var calling sync.Mutex

// call makes a call that has a result and reads it.
func call(ctx context.Context, op string, result any, do func() int32) error {
	calling.Lock()
	defer calling.Unlock()
	activity++
	status := abi.Status(do())
	document := hostcall.Result()
	if status != abi.OK {
		return failed(ctx, op, status, document)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(document, result); err != nil {
		return &sdk.Error{Code: sdk.CodeInternal, Op: op, Err: errors.New("the host's answer can't be read: " + err.Error())}
	}
	return nil
}

// insist is call for what goes on when the operation is over, which the host then
// refuses once.
func insist(ctx context.Context, op string, result any, do func() int32) error {
	err := call(ctx, op, result, do)
	if over(ctx, err) {
		return call(ctx, op, result, do)
	}
	return err
}

// over says whether err is of the end of the operation, which ctx outlives.
func over(ctx context.Context, err error) bool {
	return ctx.Err() == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

func failed(ctx context.Context, op string, status abi.Status, document []byte) error {
	var e abi.Error
	// A status without a document says enough.
	_ = json.Unmarshal(document, &e)
	if e.Op == "" {
		e.Op = op
	}
	return e.Err(status, cause(ctx, status))
}

// cause returns what ended a call: the operation, which is told to all of it, or
// a deadline that the caller itself has set.
func cause(ctx context.Context, status abi.Status) error {
	switch status {
	case abi.Cancelled:
		tell(status)
		return context.Canceled
	case abi.Timeout:
		if _, own := ctx.Deadline(); !own || hostcall.Clock(abi.ClockLeft) == 0 {
			tell(status)
			return context.DeadlineExceeded
		}
		// The host's clock may be a little ahead of our timer; who gets the error
		// is to find the context ended.
		<-ctx.Done()
		return context.DeadlineExceeded
	}
	return nil
}
