package enginelog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// longestPiece bounds the memory for a frame: what is longer comes in pieces.
const longestPiece = 64 << 10

var frameStreams = map[byte]sdk.Stream{1: sdk.Stdout, 2: sdk.Stderr}

// Frames hands the data of Docker's frames to sink until r ends or sink fails;
// sink's error is returned as it is. A frame has a header of eight bytes, with
// its stream and its length. With times, each frame begins with one and a space,
// which are taken off: a line that is longer than a frame has several. Without,
// or where there is none, the time is that of the arrival.
func Frames(r io.Reader, times bool, sink func(sdk.LogEntry) error) error {
	// A frame is a line, and most are short.
	frames := bufio.NewReaderSize(r, longestPiece)
	var head [8]byte
	buffer := make([]byte, longestPiece)
	var clock cutter
	for {
		if _, err := io.ReadFull(frames, head[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		stream, known := frameStreams[head[0]]
		if !known || head[1]|head[2]|head[3] != 0 {
			return fmt.Errorf("it isn't in Docker's frames (a frame begins with % x)", head[:4])
		}
		var at time.Time
		left := int64(binary.BigEndian.Uint32(head[4:]))
		for first := true; left > 0; first = false {
			data := buffer[:min(left, longestPiece)]
			if _, err := io.ReadFull(frames, data); err != nil {
				return early(err)
			}
			left -= int64(len(data))
			if first && times {
				at, data, _ = clock.cut(data)
			}
			if at.IsZero() {
				at = time.Now()
			}
			if err := sink(sdk.LogEntry{Stream: stream, Time: at, Data: data}); err != nil {
				return err
			}
		}
	}
}

// early makes of the end of a stream within a frame that it came too early.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
