package docker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Both outputs of a container share one stream, in frames of a header of eight
// bytes (the stream's number, three zeros, the length) and the data.
const (
	frameHeader = 8
	// frameSystemError is the number of the frame in which the engine itself
	// says what went wrong.
	frameSystemError = 3
	// chunkLimit bounds the memory for a frame: what is longer comes in pieces.
	chunkLimit = 64 << 10
	// excerptLimit is how much is read of what is no frame, to show it.
	excerptLimit = 512
)

// demux hands the frames' data to sink until the stream ends, in pieces of at
// most chunkLimit; first says whether a piece begins a frame. sink must not
// keep the data.
func demux(stream io.Reader, sink func(stream sdk.Stream, data []byte, first bool) error) error {
	var header [frameHeader]byte
	buffer := make([]byte, chunkLimit)
	for {
		_, err := io.ReadFull(stream, header[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		left := int(binary.BigEndian.Uint32(header[4:]))
		switch header[0] {
		case 0, 1:
			err = frame(stream, left, buffer, sdk.Stdout, sink)
		case 2:
			err = frame(stream, left, buffer, sdk.Stderr, sink)
		case frameSystemError:
			err = systemError(stream, left)
		default:
			err = noFrame(header[:], stream)
		}
		if err != nil {
			return err
		}
	}
}

func frame(stream io.Reader, left int, buffer []byte, of sdk.Stream, sink func(sdk.Stream, []byte, bool) error) error {
	for first := true; first || left > 0; first = false {
		n, err := io.ReadFull(stream, buffer[:min(left, len(buffer))])
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		if err := sink(of, buffer[:n], first); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// noFrame is the error of a stream that goes on with something else than a
// frame.
func noFrame(said []byte, stream io.Reader) error {
	rest := make([]byte, excerptLimit)
	n, _ := stream.Read(rest) // once: the stream may stay open for ever
	said = append(said, rest[:n]...)
	var answer struct{ Message string }
	if json.Unmarshal(said, &answer) == nil && answer.Message != "" {
		return &lateRefusal{answer.Message}
	}
	return fmt.Errorf("the engine's stream goes on with %q, which is no frame", said)
}

// lateRefusal is an engine's error in the place of a stream that it has promised:
// podman 4 says 200 before it looks at the container, and then sends the JSON of an
// error.
type lateRefusal struct{ text string }

func (r *lateRefusal) Error() string { return "the engine says: " + r.text }

func systemError(stream io.Reader, length int) error {
	said, err := io.ReadAll(io.LimitReader(stream, int64(min(length, chunkLimit))))
	if err != nil {
		return err
	}
	return fmt.Errorf("the engine says: %s", said)
}
