package module

import (
	"errors"
	"fmt"
)

// Error says why a module is refused, and what its author can do.
type Error struct {
	// Reason is what is wrong, on one line.
	Reason string
	// Hint is what to do about it; may be empty.
	Hint string
}

func (e *Error) Error() string { return e.Reason }

func refused(hint, format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...), Hint: hint}
}

const (
	hintDamaged = "get the file again, or build it again"
	hintTooMuch = "build it with less in it: the limits keep compiling a plugin within seconds"
	hintGo      = "in Go it is built with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared"
)

var errTruncated = refused(hintDamaged, "the module is truncated")

func malformed(format string, args ...any) *Error {
	return refused(hintDamaged, "the module is damaged: "+format, args...)
}

func tooMuch(format string, args ...any) *Error {
	return refused(hintTooMuch, "the module has "+format, args...)
}

func errNumber(atEnd bool) *Error {
	if atEnd {
		return errTruncated
	}
	return malformed("a number is too long")
}

// within says in which part of the module an error was found.
func within(part string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e == errTruncated {
		return err
	}
	return &Error{Reason: e.Reason + " (in the " + part + ")", Hint: e.Hint}
}
