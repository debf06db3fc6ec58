package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/owner"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// takeover is how `down` comes to own a project that may have an owner: a living
// `up` is asked to stop and waited for, any other command is only waited for.
type takeover struct {
	app    *app
	folder owner.Folder
	client *control.Client
	info   owner.Info
	want   control.Down
	// asked says that an `up` was asked to stop.
	asked bool
}

func (a *app) newTakeover(s *session, want control.Down) (*takeover, error) {
	folder, err := owner.Open()
	if err != nil {
		return nil, err
	}
	socket, err := folder.Socket(s.project)
	if err != nil {
		return nil, err
	}
	return &takeover{app: a, folder: folder, client: control.NewClient(socket), info: a.ownership(s, "down"), want: want}, nil
}

// take waits until the project is ours. A signal makes the `up` kill what it
// stops; the next one ends the wait.
func (t *takeover) take(ctx context.Context, signals <-chan os.Signal) (*owner.Owner, error) {
	defer t.client.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for patient := true; ; patient = false {
			select {
			case got := <-signals:
				if !patient || t.client.Down(ctx, control.Down{Kill: true}) != nil {
					cancel(&lifecycle.InterruptedError{Signal: got})
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		o, err := t.try(ctx)
		switch {
		case o != nil:
			return o, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, err
		}
	}
}

// silence is how long an `up` that holds the project may be without a socket:
// it makes one just after it took the project, and removes it just before it
// gives the project back.
const silence = 10 * time.Second

// try takes the project, or waits for the end of its present owner. It returns
// nothing when it is worth another try.
func (t *takeover) try(ctx context.Context) (*owner.Owner, error) {
	o, err := t.folder.Take(t.info)
	held, isHeld := errors.AsType[*owner.HeldError](err)
	if !isHeld {
		return o, err
	}
	answer := t.askToStop(ctx)
	if answer != nil && !errors.Is(answer, control.ErrNobody) {
		return nil, deaf(held, answer)
	}
	if held.By != nil && held.By.Doing != "up" {
		fmt.Fprintf(t.app.stderr, "waiting for %s\n", held.By)
		return t.unlessSomebodyAnswers(ctx)
	}
	waiting, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	if answer == nil {
		o, err = t.folder.Await(waiting, t.info, nil)
	} else {
		o, err = t.unlessSomebodyAnswers(waiting)
	}
	if waiting.Err() != nil && ctx.Err() == nil {
		return o, deaf(held, errors.New("it has no socket"))
	}
	return o, err
}

const lookForSocket = 100 * time.Millisecond

var errAnswers = errors.New("somebody answers")

// unlessSomebodyAnswers waits for the project to be given back. It returns
// nothing once somebody answers on the socket.
func (t *takeover) unlessSomebodyAnswers(ctx context.Context) (*owner.Owner, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		ticker := time.NewTicker(lookForSocket)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			if _, err := t.client.Info(ctx); err == nil {
				cancel(errAnswers)
			}
		}
	}()
	o, err := t.folder.Await(ctx, t.info, nil)
	answers := errors.Is(context.Cause(ctx), errAnswers)
	cancel(nil)
	<-looked
	if o == nil && answers {
		return nil, nil
	}
	return o, err
}

// askToStop asks the owner to stop the stack, shows how that goes, and returns
// nil when its connection has ended.
func (t *takeover) askToStop(ctx context.Context) error {
	info, err := t.client.Info(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := t.client.Down(ctx, t.want); err != nil {
		return err
	}
	t.asked = true
	fmt.Fprintf(t.app.stderr, "asked the `up` with pid %d to stop\n", info.PID)
	for event, err := range t.client.Events(ctx, 0, true) {
		if err != nil {
			break // it was killed meanwhile, or the wait is over
		}
		if event.Resource != "" && !event.Time.Before(began) && event.Type != lifecycle.StackFailed {
			fmt.Fprintf(t.app.stderr, "%s: %s\n", event.Resource, strings.TrimPrefix(string(event.Type), "resource_"))
		}
	}
	return context.Cause(ctx)
}

// deaf is the error for an owner that doesn't do what it is asked.
func deaf(held *owner.HeldError, cause error) error {
	err := &sdk.Error{Code: sdk.CodeUnavailable, Err: fmt.Errorf("%w, which doesn't answer: %w", held, cause)}
	err.Hint = "end that process, then run `lightshuttle down` again"
	if held.By != nil {
		err.Hint = fmt.Sprintf("end that process (`kill -9 %d`; its containers stay), then run `lightshuttle down -p %s` again", held.By.PID, held.Project)
	}
	return err
}
