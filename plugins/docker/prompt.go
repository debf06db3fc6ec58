package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// DefaultAnswerTimeout is how long an engine may take to answer what it knows
// or does at once.
const DefaultAnswerTimeout = 30 * time.Second

// prompt bounds the wait for the answers that come at once where the engine is
// well. An engine that accepts connections and never answers would hold up the
// program for ever.
//
// It is registered as the transport's own protocol: that is the one place which
// every request passes, whatever the client library puts around the transport.
type prompt struct {
	transport *http.Transport
	limit     time.Duration
}

// bounded marks the context of a request that has its bound already.
type bounded struct{}

// RoundTrip implements http.RoundTripper.
func (p prompt) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Context().Value(bounded{}) != nil || takesItsTime(request) {
		return nil, http.ErrSkipAltProtocol
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(request.Context(), bounded{}, true))
	timer := time.AfterFunc(p.limit, func() { cancel(p.silence(request)) })
	response, err := p.transport.RoundTrip(request.WithContext(ctx))
	timer.Stop()
	if err != nil {
		if silence, ok := silent(context.Cause(ctx)); ok && request.Context().Err() == nil {
			err = silence
		}
		cancel(nil)
		return nil, err
	}
	response.Body = &releasing{ReadCloser: response.Body, release: func() { cancel(nil) }}
	return response, nil
}

// silentError says that the engine didn't answer. What was asked of it may have
// happened or not.
type silentError struct {
	limit time.Duration
	asked string
}

func (p prompt) silence(request *http.Request) error {
	return &silentError{p.limit, request.Method + " " + request.URL.Path}
}

// Error says how long was waited for what.
func (e *silentError) Error() string {
	return fmt.Sprintf("the engine didn't answer within %s (%s)", e.limit, e.asked)
}

const silentHint = "see whether `docker ps` answers; where the engine is only slow, allow more time with the setting timeouts.engine"

func silent(err error) (*silentError, bool) { return errors.AsType[*silentError](err) }

// slow are the ends of the paths of what takes its time. Whoever asks for it
// has a bound of its own: a grace period, a time to start, a limit for a check.
var slow = map[string]bool{
	"start": true, "stop": true, "restart": true, "wait": true, "kill": true, "attach": true,
	"build": true, "load": true, "session": true, "grpc": true, "prune": true,
}

func takesItsTime(request *http.Request) bool {
	if slow[path.Base(request.URL.Path)] || request.Header.Get("Upgrade") != "" {
		return true
	}
	if request.Method == http.MethodDelete {
		return strings.Contains(request.URL.Path, "/containers/")
	}
	return strings.HasSuffix(request.URL.Path, "/images/create")
}

// releasing is a body that frees the request's context at its end.
type releasing struct {
	io.ReadCloser
	once    sync.Once
	release func()
}

// Close implements io.Closer.
func (r *releasing) Close() error {
	r.once.Do(r.release)
	return r.ReadCloser.Close()
}
