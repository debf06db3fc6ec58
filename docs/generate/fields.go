package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/lightshuttle/lightshuttle/manifest"
)

// sections are the types of the language, in the order of the page. What the
// fields are called and what they mean stands in their tags.
var sections = []struct {
	title string
	of    reflect.Type
}{
	{"project", reflect.TypeFor[manifest.Project]()},
	{"postgres", reflect.TypeFor[manifest.Postgres]()},
	{"redis", reflect.TypeFor[manifest.Redis]()},
	{"container", reflect.TypeFor[manifest.Container]()},
	{"dockerfile", reflect.TypeFor[manifest.Dockerfile]()},
	{"process", reflect.TypeFor[manifest.Process]()},
	{"job", reflect.TypeFor[manifest.Job]()},
	{"In container, dockerfile and job", reflect.TypeFor[manifest.ContainerFields]()},
	{"In every kind", reflect.TypeFor[manifest.Common]()},
	{"healthcheck", reflect.TypeFor[manifest.Healthcheck]()},
	{"healthcheck.http", reflect.TypeFor[manifest.HTTPCheck]()},
	{"healthcheck.tcp", reflect.TypeFor[manifest.TCPCheck]()},
	{"healthcheck.log", reflect.TypeFor[manifest.LogCheck]()},
	{"limits", reflect.TypeFor[manifest.Limits]()},
}

// fields describes every field of the manifest.
func fields() ([]byte, error) {
	var out bytes.Buffer
	for _, section := range sections {
		fmt.Fprintf(&out, "\n### %s\n\n| field | default | what it is for |\n|---|---|---|\n", section.title)
		for field := range section.of.Fields() {
			name := field.Tag.Get("field")
			if name == "" {
				continue // embedded fields have a section of their own
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", name, cell(defaultOf(field.Tag)), cell(meaning(field.Tag)))
		}
	}
	return out.Bytes(), nil
}

func defaultOf(tag reflect.StructTag) string {
	if tag.Get("required") == "true" {
		return "*required*"
	}
	return tag.Get("default")
}

func meaning(tag reflect.StructTag) string {
	text := tag.Get("doc")
	if values := tag.Get("enum"); values != "" {
		text += " One of `" + strings.ReplaceAll(values, ",", "`, `") + "`."
	}
	if tag.Get("interpolate") == "no" {
		text += " Takes no `${…}`."
	}
	return text
}

// cell keeps a text from ending its cell, or from being taken for HTML.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`).Replace(text)
}
