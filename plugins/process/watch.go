//go:build unix

package process

import (
	"context"
	"errors"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

var errSupervisorGone = errors.New("the supervisor of the processes has gone")

// Watch implements sdk.Watcher. Of what was before, the last start and the end
// of every process that isn't removed are remembered.
func (r *Runtime) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	if !idPattern.MatchString(project + ".x.0000000000000000") {
		return nil, sdk.Errorf(sdk.CodeInvalid, "watch", "%q can't name a project", project)
	}
	// While it watches, all that is asked goes through one line.
	l, err := r.lines.take(ctx, project, r.connectOrLaunch)
	if err != nil {
		return nil, failed("watch", "", err)
	}
	told, err := r.stream(ctx, project, request{Op: opWatch, Since: since})
	if err != nil {
		r.lines.giveBack(l)
		return nil, failed("watch", "", err)
	}
	events := make(chan sdk.Event)
	go func() {
		defer close(events)
		defer r.lines.giveBack(l)
		defer told.close()
		for {
			answer, err := told.next(ctx)
			if ctx.Err() != nil {
				return
			}
			event := answer.Event
			if err != nil {
				event = &sdk.Event{Type: sdk.EventLost, Time: time.Now(), Err: errSupervisorGone}
			}
			if event == nil {
				continue
			}
			select {
			case events <- *event:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return events, nil
}
