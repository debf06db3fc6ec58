package main

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestPagesAreInStep(t *testing.T) {
	t.Chdir("..") // where `go generate` runs it
	for _, page := range pages {
		t.Run(page.file, func(t *testing.T) {
			present, err := os.ReadFile(page.file)
			if err != nil {
				t.Fatal(err)
			}
			wanted, err := page.write(present)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(present, wanted) {
				t.Errorf("docs/%s is out of step; `make generate` writes it again.\n%s", page.file, firstDifference(present, wanted))
			}
		})
	}
}

func firstDifference(present, wanted []byte) string {
	is, want := strings.Split(string(present), "\n"), strings.Split(string(wanted), "\n")
	for i := range min(len(is), len(want)) {
		if is[i] != want[i] {
			return "is:   " + is[i] + "\nwant: " + want[i]
		}
	}
	return "one of them is longer"
}

func TestMissingMarksAreAnError(t *testing.T) {
	p := page{part: func() ([]byte, error) { return []byte("part"), nil }}
	for _, text := range []string{"", "no marks", string(begin), string(end)} {
		if _, err := p.write([]byte(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
	got, err := p.write(bytes.Join([][]byte{[]byte("a\n"), begin, []byte("old\n"), end, []byte("b\n")}, nil))
	if want := "a\n" + string(begin) + "\npart\n\n" + string(end) + "b\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// Every field of the contract's types is in the schema, under its JSON name.
func TestSchemaHasEveryField(t *testing.T) {
	data, err := os.ReadFile("../contract.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var written struct {
		Defs map[string]struct {
			Properties map[string]any
			Examples   []string
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &written); err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[contract]().Fields() {
		properties := written.Defs[field.Type.Name()].Properties
		for _, name := range jsonNames(field.Type) {
			if properties[name] == nil {
				t.Errorf("%s lacks %s", field.Type.Name(), name)
			}
		}
	}
	if len(written.Defs["Code"].Examples) < 10 {
		t.Errorf("the codes of errors are %v", written.Defs["Code"].Examples)
	}
}

func jsonNames(t reflect.Type) []string {
	var names []string
	for field := range t.Fields() {
		if field.Anonymous {
			names = append(names, jsonNames(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func TestParseHelp(t *testing.T) {
	h := parseHelp(`Does things.

Usage:
  program do [flags]

Examples:
  program do
  program do --now

Available Commands:
  this        Does this
  that        Does that

Flags:
  -h, --help   help for do
      --now    at once

Global Flags:
      --file string   a file

Use "program do [command] --help" for more information about a command.
`)
	want := &help{
		text: "Does things.", usage: "program do [flags]", examples: "program do\nprogram do --now",
		flags: "-h, --help   help for do\n    --now    at once", children: []string{"this", "that"},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %+v, want %+v", h, want)
	}
}
