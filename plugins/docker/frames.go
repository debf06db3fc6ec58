package docker

import (
	"encoding/binary"
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
			err = fmt.Errorf("the engine's stream has a frame of unknown kind %d", header[0])
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

func systemError(stream io.Reader, length int) error {
	said, err := io.ReadAll(io.LimitReader(stream, int64(min(length, chunkLimit))))
	if err != nil {
		return err
	}
	return fmt.Errorf("the engine says: %s", said)
}
