package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
)

// file adds the values of a file, if it is there.
func (l *loader) file(f file) {
	data, mode, err := read(f.path)
	if errors.Is(err, fs.ErrNotExist) && !f.required {
		return
	}
	if err != nil {
		l.problems = append(l.problems, &Problem{Origin: Origin{Source: SourceFile, File: f.path}, Message: "can't be read: " + reason(err), Err: err})
		return
	}
	// Windows has no such bits: Go makes them up from the read-only attribute.
	const othersWrite = 0o002
	if runtime.GOOS != "windows" && mode.IsRegular() && mode&othersWrite != 0 {
		l.warnings = append(l.warnings, Warning{
			Origin:  Origin{Source: SourceFile, File: f.path},
			Message: "anyone on this machine may change this file; chmod o-w takes that away",
		})
	}
	d := document{path: f.path}
	d.read(data)
	before := len(l.problems)
	l.problems = append(l.problems, d.problems...)
	l.add(d.values)
	slices.SortStableFunc(l.problems[before:], func(a, b *Problem) int { return a.Origin.Line - b.Origin.Line })
}

// read returns the contents of a file, and who may do what with it.
func read(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	// A device or a wrong file might have no end.
	const largest = 1 << 20
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil {
		return nil, 0, err
	}
	if len(data) > largest {
		return nil, 0, errors.New("it is larger than 1 MiB")
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), info.Mode(), nil
}

// reason leaves out the path, which stands before the message already.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
