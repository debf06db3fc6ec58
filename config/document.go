package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document reads the settings of a file from its YAML nodes, which know their
// lines, and checks them against the table.
type document struct {
	path     string
	values   []value
	problems []*Problem
}

func (d *document) read(data []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if !errors.Is(err, io.EOF) {
			d.syntaxError(err)
		}
		return
	}
	d.section("", root.Content[0])

	var second yaml.Node
	err := decoder.Decode(&second)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntaxError(err)
	default:
		d.problem(second.Line, "", "a second document; only one is expected")
	}
}

// section reads the names of a section; that of the whole file is "".
func (d *document) section(path string, node *yaml.Node) {
	node = target(node)
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		message := fmt.Sprintf("expected a mapping (keys: %s), got %s", strings.Join(namesIn(path), ", "), described(node))
		if path != "" {
			message = path + ": " + message
		}
		d.problem(node.Line, "", "%s", message)
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := target(node.Content[i])
		if key.Kind != yaml.ScalarNode {
			d.problem(key.Line, "", "expected a key, got %s", described(key))
			continue
		}
		if first, twice := lines[key.Value]; twice {
			d.problem(key.Line, "", "%s is given twice, first on line %d", quote(join(path, key.Value)), first)
			continue
		}
		lines[key.Value] = key.Line
		d.pair(path, key, node.Content[i+1])
	}
}

// pair reads one name of a section and what it holds.
func (d *document) pair(section string, key, node *yaml.Node) {
	// A name with a dot is never a path here: YAML has nesting for that.
	plain := !strings.Contains(key.Value, ".")
	path := join(section, key.Value)
	if plain && isSection(path) {
		d.section(path, node)
		return
	}
	setting, known := settingOf(path)
	if !plain || !known {
		d.problem(key.Line, suggestKey(section, key.Value), "unknown key %s", describedKey(section, key.Value))
		return
	}
	node = target(node)
	if node.Kind != yaml.ScalarNode || isNull(node) {
		d.problem(node.Line, "", "%s: expected %s, got %s", path, setting.kind.expected, described(node))
		return
	}
	d.values = append(d.values, value{setting: setting, text: node.Value, origin: d.origin(key.Line)})
}

func (d *document) origin(line int) Origin {
	return Origin{Source: SourceFile, File: d.path, Line: line}
}

func (d *document) problem(line int, suggestion, format string, args ...any) {
	d.problems = append(d.problems, &Problem{Origin: d.origin(line), Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// syntaxError takes the line out of an error of the YAML package, which has it
// only in the text.
func (d *document) syntaxError(err error) {
	text, line := err.Error(), 0
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		line, _ = strconv.Atoi(match[1])
		text = text[len(match[0]):]
	}
	d.problem(line, "", "not valid YAML: %s", strings.TrimPrefix(text, "yaml: "))
}

// target follows an alias to what it stands for.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func describedKey(section, name string) string {
	if section == "" {
		return quote(name)
	}
	return quote(name) + " in " + quote(section)
}

func described(node *yaml.Node) string {
	switch {
	case isNull(node):
		return "nothing"
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	default:
		return quote(node.Value)
	}
}
