package control

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// events writes the events after a number, one on a line. With follow it goes on
// with those to come. A reader that is too slow for the log gets one
// events_missed for what it missed, as every reader of the log does.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	since, err := parseSince(query.Get(querySince))
	if err != nil {
		s.refuse(w, err)
		return
	}
	follow := query.Get(queryFollow) != ""
	w.Header().Set("Content-Type", "application/x-ndjson")
	stream := &eventStream{encoder: json.NewEncoder(w), controller: http.NewResponseController(w)}
	if stream.flush() != nil {
		return
	}
	if follow {
		select {
		case <-s.attached:
		case <-s.base.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
	stack := s.present()
	if stack == nil {
		return
	}
	log := stack.Events()
	last := log.Last()
	if since > last {
		since = 0
		if stream.write(lifecycle.Event{Type: EventsRestarted, Time: time.Now()}) != nil {
			return
		}
	}
	if !follow && since == last {
		return
	}
	for event := range log.Since(r.Context(), since) {
		if stream.write(event) != nil || !follow && event.Seq >= last {
			return
		}
	}
}

func parseSince(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	since, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, sdk.Errorf(sdk.CodeInvalid, "events", "%q is no number of an event", text)
	}
	return since, nil
}

// eventStream hands over each event at once.
type eventStream struct {
	encoder    *json.Encoder
	controller *http.ResponseController
}

func (s *eventStream) write(event lifecycle.Event) error {
	if err := s.encoder.Encode(event); err != nil {
		return err
	}
	return s.flush()
}

func (s *eventStream) flush() error { return s.controller.Flush() }
