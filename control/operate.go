package control

import (
	"context"
	"errors"
	"net/http"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// operate restarts, stops or starts one resource. A client that goes away ends
// its own wait and nothing else: half a restart is worse than a whole one.
func (s *Server) operate(w http.ResponseWriter, r *http.Request) {
	name, operation := r.PathValue("resource"), Operation(r.PathValue("operation"))
	stack := s.present()
	if stack == nil {
		err := &sdk.Error{Code: sdk.CodeConflict, Op: string(operation), Resource: name, Err: errNotBegun}
		s.refuse(w, err)
		return
	}
	act := actionOf(stack, operation)
	if act == nil {
		s.refuse(w, sdk.Errorf(sdk.CodeInvalid, "", "there is no operation %q", operation))
		return
	}
	var begun <-chan struct{}
	if r.URL.Query().Get(queryDetach) != "" {
		begun = s.firstEventOf(r.Context(), stack, name)
	}
	ended := make(chan error, 1)
	s.workers.Go(func() { ended <- act(s.base, name) })
	select {
	case err := <-ended:
		if err != nil {
			s.refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case <-begun:
		w.WriteHeader(http.StatusAccepted)
	case <-r.Context().Done():
	}
}

var errNotBegun = errors.New("the stack is only being planned; try again once it starts")

func actionOf(stack Stack, operation Operation) func(context.Context, string) error {
	switch operation {
	case Restart:
		return stack.Restart
	case Stop:
		return stack.StopResource
	case Start:
		return stack.StartResource
	}
	return nil
}

// firstEventOf is closed with the next event of the resource, which shows that
// an operation on it was not refused.
func (s *Server) firstEventOf(ctx context.Context, stack Stack, name string) <-chan struct{} {
	begun := make(chan struct{})
	log := stack.Events()
	since := log.Last()
	s.workers.Go(func() {
		for event := range log.Since(ctx, since) {
			if event.Resource == name || event.Type == lifecycle.EventsMissed {
				close(begun)
				return
			}
		}
	})
	return begun
}
