package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// message is one of those that the engine sends while it pulls or builds.
type message struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Stream   string `json:"stream"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Aux         json.RawMessage `json:"aux"`
	Error       string          `json:"error"`
	ErrorDetail struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

// refusal is an error that the engine reports inside its answer, after it had
// begun with a status of success.
type refusal struct{ text string }

func (e refusal) Error() string { return e.text }

// eachMessage hands every message to sink until the engine has said all. An
// error inside the stream is the error of what it tells about. An answer that
// breaks off is an error too: the engine may have failed half-way.
func eachMessage(ctx context.Context, stream io.Reader, sink func(message)) error {
	decoder := json.NewDecoder(stream)
	for {
		var m message
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("the engine's answer broke off: %w", err)
		}
		if m.ErrorDetail.Message != "" {
			return refusal{m.ErrorDetail.Message}
		}
		if m.Error != "" {
			return refusal{m.Error}
		}
		sink(m)
	}
}
