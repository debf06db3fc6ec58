package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// ErrNobody says that nobody listens on the socket.
var ErrNobody = errors.New("nobody listens on the control socket")

// answerTimeout is how long an owner may take for what it can answer at once.
// One that was stopped (SIGSTOP) takes connections and never answers.
const answerTimeout = 2 * time.Second

// Client talks to the owner of a project. Its methods fail with [ErrNobody]
// when there is none, with CodeUnavailable when it doesn't answer, else with
// the error that the owner had. It is to be closed.
type Client struct {
	path string
	// quick is for what is answered at once, patient for what takes as long as a
	// container takes.
	quick, patient *http.Client
}

// NewClient returns a client for the socket, without connecting to it yet.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		if err := ours(path, os.Getuid()); err != nil {
			return nil, err
		}
		dialer := net.Dialer{Timeout: answerTimeout}
		return dialer.DialContext(ctx, "unix", path)
	}
	return &Client{
		path:    path,
		quick:   &http.Client{Transport: &http.Transport{DialContext: dial, ResponseHeaderTimeout: answerTimeout, DisableKeepAlives: true}},
		patient: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}},
	}
}

// Close drops the connections.
func (c *Client) Close() {
	c.quick.CloseIdleConnections()
	c.patient.CloseIdleConnections()
}

// Info says who answers.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var info Info
	return info, c.get(ctx, routeInfo, &info)
}

// Resources is what the owner knows of each resource; empty while it is still
// planning.
func (c *Client) Resources(ctx context.Context) ([]lifecycle.Resource, error) {
	var resources []lifecycle.Resource
	return resources, c.get(ctx, routeResources, &resources)
}

// Down asks the owner to stop the stack and to end, and returns once it has
// heard that.
func (c *Client) Down(ctx context.Context, down Down) error {
	body, err := json.Marshal(down)
	if err != nil {
		return err
	}
	response, err := c.do(ctx, c.quick, http.MethodPost, routeDown, nil, body)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Operate restarts, stops or starts a resource and waits for the end of that,
// or with detach only until it has begun. The end of ctx ends the wait alone.
func (c *Client) Operate(ctx context.Context, operation Operation, resource string, detach bool) error {
	query := url.Values{}
	if detach {
		query.Set(queryDetach, "1")
	}
	path := routeResources + "/" + url.PathEscape(resource) + "/" + string(operation)
	response, err := c.do(ctx, c.patient, http.MethodPost, path, query, nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Events returns the events after the one numbered since: those that the owner
// keeps and, with follow, those to come until it ends. An error is the last that
// it yields.
func (c *Client) Events(ctx context.Context, since uint64, follow bool) iter.Seq2[lifecycle.Event, error] {
	return func(yield func(lifecycle.Event, error) bool) {
		query := url.Values{querySince: {strconv.FormatUint(since, 10)}}
		if follow {
			query.Set(queryFollow, "1")
		}
		response, err := c.do(ctx, c.quick, http.MethodGet, routeEvents, query, nil)
		if err != nil {
			yield(lifecycle.Event{}, err)
			return
		}
		defer response.Body.Close()
		decoder := json.NewDecoder(response.Body)
		for {
			var event lifecycle.Event
			err := decoder.Decode(&event)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(event, c.broken(ctx, err))
				return
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

func (c *Client) get(ctx context.Context, path string, content any) error {
	response, err := c.do(ctx, c.quick, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(content); err != nil {
		return c.broken(ctx, err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, through *http.Client, method, path string, query url.Values, body []byte) (*http.Response, error) {
	address := url.URL{Scheme: "http", Host: "lightshuttle", Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := through.Do(request)
	if err != nil && through == c.quick && ctx.Err() == nil && hungUp(err) {
		return nil, ErrNobody // it was about to end
	}
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer response.Body.Close()
	var p problem
	if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
		return nil, sdk.Errorf(sdk.CodeInternal, "", "the owner of the project answered %s", response.Status)
	}
	return nil, p.err()
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// broken gives a failure to talk to the owner its meaning.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return ErrNobody
	}
	if foreign, ok := errors.AsType[*sdk.Error](err); ok {
		return foreign
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		err = fmt.Errorf("no answer within %s", answerTimeout)
	}
	return sdk.Errorf(sdk.CodeUnavailable, "", "the owner of the project (socket %s): %w", c.path, err)
}
