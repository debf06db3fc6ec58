package manifest

import (
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Text is a scalar with its place. Any scalar will do where text is meant: its
// source text counts, so that `version: 16.10` isn't 16.1.
type Text struct {
	Value string
	At    span
	// Set tells an empty text from one that isn't there.
	Set bool
}

// Entry is one entry of a map.
type Entry struct {
	Key   string
	KeyAt span
	Value Text
}

// TextMap is a map of texts in the order of the file.
type TextMap []Entry

// Command is a command line: a string for the shell, or a list.
type Command struct {
	Args  []Text
	Shell bool
	Set   bool
	At    span
}

// Flag is a boolean that may be absent.
type Flag struct {
	Value bool
	Set   bool
	At    span
}

// Number is an integer that may be absent.
type Number struct {
	Value int64
	Set   bool
	At    span
}

// Period is a duration that may be absent.
type Period struct {
	Value time.Duration
	Set   bool
	At    span
}

// Storage is the `volume` of a database: true, false, or a volume's name.
type Storage struct {
	Name  Text
	Keep  bool
	Given bool
}

// PortList is the `ports` of a container.
type PortList []PublishedPort

// PublishedPort is one entry of `ports`.
type PublishedPort struct {
	Port
	At span
}

// ListenList is the `ports` of a process.
type ListenList []PublishedPort

// Needs is the `depends_on` of a resource.
type Needs []Need

// Need is one dependency with its condition.
type Need struct {
	Resource  string
	Condition Condition
	At        span
}

// Condition is how far a dependency must have come.
type Condition string

// The conditions. Ready is meant by the short form of depends_on: healthy where
// there is a healthcheck, else running.
const (
	Ready     Condition = "ready"
	Started   Condition = "started"
	Healthy   Condition = "healthy"
	Completed Condition = "completed"
)

// spanOf is the place of a node, with its length as far as it is on one line.
func spanOf(node *yaml.Node) span {
	length := utf8.RuneCountInString(node.Value)
	if node.Kind != yaml.ScalarNode {
		length = 1
	}
	if node.Style == yaml.DoubleQuotedStyle || node.Style == yaml.SingleQuotedStyle {
		length += 2
	}
	if node.Style == yaml.LiteralStyle || node.Style == yaml.FoldedStyle {
		length = 1
	}
	return span{Position{node.Line, node.Column}, max(1, length)}
}
