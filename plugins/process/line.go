//go:build unix

package process

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
)

// line is the one connection that all requests to a supervisor share while there
// are any, or somebody watches: to connect for each of them would cost more than
// what most of them ask for.
type line struct {
	project string
	// open is closed when the line stands, or failed with err.
	open chan struct{}
	err  error
	c    *connection
	// users is guarded by lines.
	users int

	writing sync.Mutex

	mu      sync.Mutex
	broken  bool
	number  uint64
	waiting map[uint64]chan reply
}

// lines are those to all projects.
type lines struct {
	mu  sync.Mutex
	all map[string]*line
}

// take returns the line to the project's supervisor, which is made by connect
// when there is none. It is to be given back.
func (ls *lines) take(ctx context.Context, project string, connect func(context.Context, string) (*connection, error)) (*line, error) {
	for {
		l, first := ls.join(project)
		if first {
			l.c, l.err = connect(ctx, project)
			if l.err == nil {
				go l.listen(ls)
			} else {
				ls.drop(l)
			}
			close(l.open)
			return l, l.err
		}
		select {
		case <-l.open:
		case <-ctx.Done():
			ls.giveBack(l)
			return nil, context.Cause(ctx)
		}
		if l.err == nil {
			return l, nil
		}
		// Who made it may have given up, or not have wanted to start a supervisor.
	}
}

// join makes the caller a user of the project's line, and says whether it is the
// first, who is to open it.
func (ls *lines) join(project string) (l *line, first bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l = ls.all[project]; l != nil {
		l.users++
		return l, false
	}
	l = &line{project: project, users: 1, open: make(chan struct{}), waiting: map[uint64]chan reply{}}
	if ls.all == nil {
		ls.all = map[string]*line{}
	}
	ls.all[project] = l
	return l, true
}

// drop has the next who needs a line make another one.
func (ls *lines) drop(l *line) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.all[l.project] == l {
		delete(ls.all, l.project)
	}
}

// giveBack closes the line when nobody uses it any more: a supervisor stays as
// long as anybody is connected.
func (ls *lines) giveBack(l *line) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.users--
	if l.users > 0 {
		return
	}
	if ls.all[l.project] == l {
		delete(ls.all, l.project)
	}
	if l.c != nil {
		l.c.close()
	}
}

// listen hands out the replies until the connection ends.
func (l *line) listen(ls *lines) {
	for {
		var answer reply
		if l.c.replies.Decode(&answer) != nil {
			break
		}
		l.mu.Lock()
		if wanted := l.waiting[answer.Number]; wanted != nil {
			delete(l.waiting, answer.Number)
			wanted <- answer
		}
		l.mu.Unlock()
	}
	ls.drop(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for number, wanted := range l.waiting {
		delete(l.waiting, number)
		close(wanted)
	}
}

// ask makes a request and waits for its reply. It fails with io.EOF when the
// supervisor has gone.
func (l *line) ask(ctx context.Context, request request) (reply, error) {
	if ctx.Err() != nil {
		return reply{}, gone(ctx, request.Op, nil)
	}
	wanted := make(chan reply, 1)
	l.mu.Lock()
	if l.broken {
		l.mu.Unlock()
		return reply{}, io.EOF
	}
	l.number++
	request.Number = l.number
	l.waiting[request.Number] = wanted
	l.mu.Unlock()
	if err := l.send(request); err != nil {
		l.forget(request.Number)
		return reply{}, io.EOF
	}
	select {
	case answer, ok := <-wanted:
		if !ok {
			return reply{}, io.EOF
		}
		return answer, answer.err(request.Op)
	case <-ctx.Done():
		if l.forget(request.Number) {
			_ = l.send(tellForget(request.Number))
		}
		return reply{}, gone(ctx, request.Op, nil)
	}
}

func tellForget(number uint64) request { return request{Number: number, Op: opForget} }

func (l *line) send(request request) error {
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err = l.c.Write(append(data, '\n'))
	return err
}

// forget says whether the reply was still to come.
func (l *line) forget(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, expected := l.waiting[number]
	delete(l.waiting, number)
	return expected
}

// isGone says whether the supervisor was there, and went.
func isGone(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, errNoSupervisor) }
