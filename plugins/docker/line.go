package docker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/docker/docker/client"
)

const (
	userAgent = "lightshuttle"
	// connections is how many idle connections are kept. A stack that starts
	// talks to its engine about many containers at once.
	connections = 64
	// dialTimeout is how long an address may take to accept a connection.
	dialTimeout = 10 * time.Second
)

// line is the way to the engine. It remembers why the engine couldn't be
// reached, which the client library keeps to itself.
type line struct {
	transport *http.Transport
	// answerTimeout is how long a prompt answer may take.
	answerTimeout time.Duration
	failure       atomic.Pointer[error]
}

// tune fits the transport that the options before it made to many requests at a
// time. The client must have no overall timeout: a grace period may be as long
// as it likes.
func (l *line) tune(api *client.Client) error {
	transport, ok := api.HTTPClient().Transport.(*http.Transport)
	if !ok {
		return errors.New("the engine's client has an unknown transport")
	}
	transport.MaxIdleConns = connections
	transport.MaxIdleConnsPerHost = connections
	transport.IdleConnTimeout = 30 * time.Second
	dial := transport.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			l.failure.Store(nil)
		} else if ctx.Err() == nil {
			l.failure.Store(&err)
		}
		return conn, err
	}
	for _, scheme := range []string{"http", "https"} {
		transport.RegisterProtocol(scheme, prompt{transport, l.answerTimeout})
	}
	l.transport = transport
	return nil
}

// lastFailure is why the last attempt to connect failed, nil if it didn't.
func (l *line) lastFailure() error {
	if failure := l.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

func (l *line) secure() bool { return l.transport.TLSClientConfig != nil }
