package config

import "fmt"

// Source is a kind of place that settings come from.
type Source string

// The sources, the strongest first.
const (
	SourceFlag    Source = "flag"
	SourceEnv     Source = "env"
	SourceFile    Source = "file"
	SourceDefault Source = "default"
)

// Origin is where a value came from.
type Origin struct {
	Source Source
	// Name is that of the flag, without dashes, or of the variable.
	Name string
	// File and Line are the place in a file. Line is 0 if the whole file is meant.
	File string
	Line int
}

// String gives the origin as "flag --grace", "env LIGHTSHUTTLE_GRACE",
// "config.yaml:3" or "default".
func (o Origin) String() string {
	switch o.Source {
	case SourceFlag:
		return "flag --" + o.Name
	case SourceEnv:
		return "env " + o.Name
	case SourceFile:
		if o.Line == 0 {
			return o.File
		}
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	default:
		return string(SourceDefault)
	}
}
