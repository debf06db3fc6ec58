package workload

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

func (p program) print(ctx context.Context) int {
	for i := range p.number() {
		fmt.Fprintln(p.Stdout, "out", i+1)
		fmt.Fprintln(p.Stderr, "err", i+1)
	}
	return p.lastly(ctx, 0)
}

func (p program) tick(ctx context.Context) int {
	signals := p.Notify()
	every := duration(p.argument(1))
	for i := range p.number() {
		fmt.Fprintln(p.Stdout, "tick", i+1)
		if !pause(ctx, every) {
			return killed
		}
		select {
		case <-signals:
			return 0
		default:
		}
	}
	return 0
}

// linesAtOnce is how many lines are written at a time.
const linesAtOnce = 64

func (p program) lines(context.Context) int {
	buffer := make([]byte, 0, linesAtOnce*LineWidth)
	for i := range p.number() {
		buffer = AppendLine(buffer, i)
		if len(buffer) < linesAtOnce*LineWidth {
			continue
		}
		if _, err := p.Stdout.Write(buffer); err != nil {
			return 1
		}
		buffer = buffer[:0]
	}
	if _, err := p.Stdout.Write(buffer); err != nil {
		return 1
	}
	return 0
}

var filler = bytes.Repeat([]byte("."), LineWidth)

// AppendLine appends the line with the number, counted from 0, as "lines"
// prints it.
func AppendLine(to []byte, number int64) []byte {
	start := len(to)
	to = fmt.Appendf(to, "line %012d ", number)
	to = append(to, filler[:LineWidth-1-(len(to)-start)]...)
	return append(to, '\n')
}

func (p program) flood(context.Context) int {
	if _, err := io.CopyN(p.Stdout, endless{}, p.number()); err != nil {
		return 1
	}
	return 0
}

// endless is a reader of as many x as are wanted.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func (p program) partial(ctx context.Context) int {
	fmt.Fprint(p.Stdout, "out\nno line break")
	fmt.Fprint(p.Stderr, "err\nnone here either")
	return p.lastly(ctx, 0)
}

func (p program) strange(context.Context) int { return write(p.Stdout, Strange) }

func (p program) bytes(context.Context) int { return write(p.Stdout, AllBytes()) }

// AllBytes is what "bytes" prints: each value of a byte once, in order, most of
// which make no valid UTF-8.
func AllBytes() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}
