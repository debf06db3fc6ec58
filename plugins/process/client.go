//go:build unix

package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// connection is a conversation with a supervisor.
type connection struct {
	*net.UnixConn
	replies *json.Decoder
}

func (c *connection) close() { _ = c.Close() }

// errNoSupervisor says that nobody looks after the project's processes.
var errNoSupervisor = errors.New("no supervisor")

// connect reaches the project's supervisor; it fails with errNoSupervisor when
// there is none.
func (r *Runtime) connect(ctx context.Context, project string) (*connection, error) {
	conn, err := dialIn(r.projectDir(project))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
		return nil, errNoSupervisor
	}
	if err != nil {
		return nil, fmt.Errorf("reach the supervisor of the processes: %w", err)
	}
	c := &connection{UnixConn: conn, replies: json.NewDecoder(bufio.NewReader(conn))}
	leave := context.AfterFunc(ctx, c.close)
	var hello greeting
	err = c.replies.Decode(&hello)
	if !leave() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		c.close()
		return nil, errNoSupervisor // it was on its way out
	}
	if hello.Protocol != protocol {
		c.close()
		return nil, &sdk.Error{
			Code: sdk.CodeUnavailable, Err: fmt.Errorf("the processes of project %s are looked after by another version of this program (pid %d)", project, hello.PID),
			Hint: "take them down with that version, or end that process, which ends them all",
		}
	}
	return c, nil
}

// stream is a request with many replies, on a connection of its own, which ends
// with the context.
type stream struct {
	*connection
	op    string
	leave func() bool
}

// stream makes the request and waits for its first reply.
func (r *Runtime) stream(ctx context.Context, project string, request request) (*stream, error) {
	c, err := r.connect(ctx, project)
	if err != nil {
		return nil, err
	}
	s := &stream{connection: c, op: request.Op, leave: context.AfterFunc(ctx, c.close)}
	if err = json.NewEncoder(c).Encode(request); err == nil {
		_, err = s.next(ctx)
	}
	if err != nil {
		s.close()
		return nil, gone(ctx, request.Op, err)
	}
	return s, nil
}

func (s *stream) close() {
	s.leave()
	s.connection.close()
}

// next reads a reply; the error is that of the supervisor, or io.EOF when it
// has no more.
func (s *stream) next(ctx context.Context) (reply, error) {
	var answer reply
	if err := s.replies.Decode(&answer); err != nil {
		return answer, gone(ctx, s.op, err)
	}
	return answer, answer.err(s.op)
}

// gone is the error of a conversation that broke off.
func gone(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		return &sdk.Error{Code: sdk.CodeOf(cause), Op: op, Err: cause}
	}
	if _, ok := errors.AsType[*sdk.Error](err); ok || errors.Is(err, io.EOF) {
		return err
	}
	return &sdk.Error{Code: sdk.CodeUnavailable, Op: op, Err: fmt.Errorf("the supervisor of the processes has gone: %w", err)}
}

// ask makes a request that has one reply, of the supervisor that is there; it
// fails with errNoSupervisor when there is none.
func (r *Runtime) ask(ctx context.Context, project string, request request) (reply, error) {
	l, err := r.lines.take(ctx, project, r.connect)
	if err != nil {
		return reply{}, err
	}
	defer r.lines.giveBack(l)
	return l.ask(ctx, request)
}

// command makes a request of a supervisor that is started if need be.
func (r *Runtime) command(ctx context.Context, project string, request request) error {
	l, err := r.lines.take(ctx, project, r.connectOrLaunch)
	if err != nil {
		return err
	}
	defer r.lines.giveBack(l)
	_, err = l.ask(ctx, request)
	if errors.Is(err, io.EOF) {
		return sdk.Errorf(sdk.CodeUnavailable, request.Op, "the supervisor of the processes was killed")
	}
	return err
}

// startIt makes the request for a start. What failed or was cut off has left
// nothing when it returns, or the second error says why not.
func (r *Runtime) startIt(ctx context.Context, project string, start request) (err, left error) {
	l, err := r.lines.take(ctx, project, r.connectOrLaunch)
	if err != nil {
		return err, nil
	}
	defer r.lines.giveBack(l)
	if _, err = l.ask(ctx, start); err == nil {
		return nil, nil
	}
	// It may run all the same. On this line, the supervisor hears of the start
	// before it hears of the removal.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	_, left = l.ask(after, request{Op: opRemove, ID: start.ID})
	if errors.Is(left, io.EOF) { // it was killed, and another one sees to the rest
		left = r.Remove(after, start.ID)
	}
	return err, left
}

// cleanUpTimeout bounds what is done after the caller's context has ended.
const cleanUpTimeout = 10 * time.Second
