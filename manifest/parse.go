package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// sizeLimit is far beyond any manifest that somebody wrote.
const sizeLimit = 16 << 20

// Parse reads a manifest. file is its path, which messages name and which
// relative paths in it are relative to. It reports everything that is wrong,
// warnings included; with errors among them, the manifest is nil.
func Parse(file string, data []byte) (*Manifest, Diagnostics) {
	report := newReporter(file, data)
	root := parseYAML(report, data)
	if root == nil {
		return nil, report.found
	}
	var doc document
	d := &decoder{reporter: report}
	d.document(root, &doc)
	m := &Manifest{File: file, Dir: filepath.Dir(file), Project: doc.Project, Resources: doc.Resources, source: report}
	checkDocument(report, &doc)
	found := report.found.sorted()
	if found.HasErrors() {
		return nil, found
	}
	report.found = nil
	return m, found
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parseYAML returns the root node of the only document in data.
func parseYAML(report *reporter, data []byte) *yaml.Node {
	if len(data) > sizeLimit {
		report.errorf(span{}, "", "the file has %d MiB, which no manifest needs", len(data)>>20)
		return nil
	}
	if !utf8.Valid(data) {
		report.errorf(invalidUTF8(data), "save the file as UTF-8", "not valid UTF-8")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var file yaml.Node
	err := decoder.Decode(&file)
	if errors.Is(err, io.EOF) || err == nil && (len(file.Content) == 0 || isNull(file.Content[0])) {
		report.errorf(span{}, "a manifest needs at least `project` and `resources`", "the file is empty")
		return nil
	}
	if err != nil {
		reportYAML(report, err)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			reportYAML(report, err)
			return nil
		}
		report.errorf(span{Position{second.Line, max(1, second.Column)}, 3}, "put the stacks into files of their own", "a second document in the file")
		return nil
	}
	return file.Content[0]
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func reportYAML(report *reporter, err error) {
	match := yamlLine.FindStringSubmatch(err.Error())
	if match == nil {
		report.errorf(span{}, "", "%v", err)
		return
	}
	line, _ := strconv.Atoi(match[1])
	at := span{}
	if line > 0 {
		at = span{Position{line, 1}, 1}
	}
	report.errorf(at, "", "not valid YAML: %s", match[2])
}

func invalidUTF8(data []byte) span {
	line, column := 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return span{Position{line, column}, 1}
}

func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if isNull(node) {
			return "nothing"
		}
		return fmt.Sprintf("%q", node.Value)
	}
	return "something else"
}
