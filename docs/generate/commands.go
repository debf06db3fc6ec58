package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// commands describes every command from what `--help` says of it. The program
// is built for that: its commands are in no package that could be imported.
func commands() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lightshuttle-docs-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder in /tmp is no reason to fail
	program := filepath.Join(dir, "lightshuttle")
	if output, err := exec.Command("go", "build", "-o", program, "../cmd/lightshuttle").CombinedOutput(); err != nil { //nolint:noctx // a generator is ended with its process
		return nil, fmt.Errorf("build the program: %w\n%s", err, output)
	}
	var out bytes.Buffer
	root, err := helpOf(program)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&out, "## Flags of every command\n\n```text\n%s\n```\n", root.flags)
	err = describe(&out, program, root.children)
	return out.Bytes(), err
}

// describe writes the commands below one, each with those below it.
func describe(out *bytes.Buffer, program string, names []string, above ...string) error {
	for _, name := range names {
		if len(above) == 0 && name == "help" {
			continue
		}
		path := append(append([]string{}, above...), name)
		h, err := helpOf(program, path...)
		if err != nil {
			return err
		}
		h.write(out, strings.Join(path, " "))
		if name == "completion" {
			continue // its children explain each shell at length
		}
		if err := describe(out, program, h.children, path...); err != nil {
			return err
		}
	}
	return nil
}

// help is what `--help` says of a command.
type help struct {
	text, usage, examples, flags string
	children                     []string
}

func helpOf(program string, path ...string) (*help, error) {
	command := exec.Command(program, append(path, "--help")...) //nolint:noctx // a generator is ended with its process
	// Neither the user's settings nor the width of a terminal has a say here.
	command.Env = []string{"HOME=" + os.DevNull}
	output, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("lightshuttle %s --help: %w\n%s", strings.Join(path, " "), err, output)
	}
	return parseHelp(string(output)), nil
}

// heading begins a part of the help.
var heading = regexp.MustCompile(`(?m)^(Usage|Aliases|Examples|Available Commands|Flags|Global Flags|Additional help topics):\n`)

func parseHelp(text string) *help {
	if foot := strings.Index(text, "\nUse \"lightshuttle "); foot >= 0 {
		text = text[:foot]
	}
	places := heading.FindAllStringSubmatchIndex(text, -1)
	h := &help{text: strings.TrimSpace(text)}
	for i, place := range places {
		if i == 0 {
			h.text = strings.TrimSpace(text[:place[0]])
		}
		until := len(text)
		if i+1 < len(places) {
			until = places[i+1][0]
		}
		part := strings.Trim(text[place[1]:until], "\n")
		switch text[place[2]:place[3]] {
		case "Usage":
			h.usage = unindented(part)
		case "Examples":
			h.examples = unindented(part)
		case "Flags":
			h.flags = unindented(part)
		case "Available Commands":
			for line := range strings.Lines(part) {
				h.children = append(h.children, strings.Fields(line)[0])
			}
		}
	}
	return h
}

func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(line, "  "), " ")
	}
	return strings.Join(lines, "\n")
}

func (h *help) write(out *bytes.Buffer, name string) {
	fmt.Fprintf(out, "\n## lightshuttle %s\n\n%s\n\n```text\n%s\n```\n", name, sentence(h.text), h.usage)
	if h.examples != "" {
		fmt.Fprintf(out, "\n```sh\n%s\n```\n", h.examples)
	}
	if flags := withoutHelp(h.flags); flags != "" {
		fmt.Fprintf(out, "\n```text\n%s\n```\n", flags)
	}
}

// sentence ends a text as one.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.Contains(text, "\n\n") {
		return text
	}
	return text + "."
}

// withoutHelp leaves out the flag that every command has anyway.
func withoutHelp(flags string) string {
	var kept []string
	for line := range strings.Lines(flags) {
		if !strings.Contains(line, "--help") {
			kept = append(kept, strings.TrimRight(line, "\n"))
		}
	}
	return strings.Join(kept, "\n")
}
