//go:build unix

package process

import (
	"bytes"
	"errors"
	"os"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// pieceWait is how long the rest of a line is waited for before it is shown
// without: a prompt has no line break.
const pieceWait = 100 * time.Millisecond

// firstBuffer is what a stream begins with; most need no more.
const firstBuffer = 4 << 10

// capture copies one stream of a process into its log, line by line, until all
// who hold it have closed it. What can't be written is lost: a full disk must
// not stop the process. The first such error is returned.
func capture(from *os.File, stream sdk.Stream, into *logWriter) error {
	defer from.Close()
	buffer := make([]byte, firstBuffer)
	held := 0
	var failed error
	write := func(data []byte, rest bool) {
		if err := into.write(stream, time.Now(), data, rest); err != nil && failed == nil {
			failed = err
		}
	}
	for {
		if held > 0 {
			_ = from.SetReadDeadline(time.Now().Add(pieceWait))
		}
		n, err := from.Read(buffer[held:])
		held += n
		full := held == len(buffer)
		if end := bytes.LastIndexByte(buffer[:held], '\n') + 1; end > 0 {
			write(buffer[:end], false)
			held = copy(buffer, buffer[end:held])
		}
		if full && len(buffer) < pieceLimit {
			larger := make([]byte, min(4*len(buffer), pieceLimit))
			copy(larger, buffer[:held])
			buffer = larger
		}
		late := errors.Is(err, os.ErrDeadlineExceeded)
		if held > 0 && (err != nil || held == len(buffer)) {
			write(buffer[:held], true)
			held = 0
		}
		if late || held == 0 {
			_ = from.SetReadDeadline(time.Time{})
		}
		if err != nil && !late {
			return failed
		}
	}
}
