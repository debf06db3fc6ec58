package module

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

const hintManifest = "a plugin says what it is in the custom section " + abi.ManifestSection + ", see docs/abi.md"

// name is what a runtime, an endpoint and a program may be called.
var name = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// What a manifest may have.
const (
	maxRequests = 32
	maxText     = 1000
	// mostStars keeps the tries to match a path few.
	mostStars = 2
)

// ReadManifest reads the content of a manifest section.
func ReadManifest(data []byte) (*abi.Manifest, error) {
	if len(data) > abi.MaxManifest {
		return nil, refused("say less", "the manifest has %d KiB, more than the %d KiB that are allowed", len(data)>>10, abi.MaxManifest>>10)
	}
	var m abi.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, refused(hintManifest, "the manifest isn't understood: %s", plain(err))
	}
	if m.ABI != abi.Version {
		return nil, refused("use a LightShuttle that has it, or build the module for ABI 1", "the manifest says that it is for ABI %d; this host has ABI %d", m.ABI, abi.Version)
	}
	if !name.MatchString(m.Name) {
		return nil, refused("use lower-case letters, digits and hyphens", "the manifest's name %q can't name a runtime", clipped(m.Name))
	}
	for _, text := range []string{m.Version, m.License, m.Source, m.Description} {
		if len(text) > maxText {
			return nil, refused("say less", "a text in the manifest has more than %d bytes", maxText)
		}
	}
	if err := checkRequests(m.Requests); err != nil {
		return nil, err
	}
	return &m, nil
}

// plain is the error of a JSON document in words for people.
func plain(err error) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("it isn't JSON: %s at byte %d", e, e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s can't be %s", e.Field, e.Value)
	}
	return err.Error()
}

func clipped(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

func checkRequests(r abi.Requests) error {
	if len(r.HTTP) > maxRequests || len(r.Exec) > maxRequests {
		return refused("ask for less", "the manifest requests more than %d endpoints or programs", maxRequests)
	}
	var seen []string
	for _, request := range r.HTTP {
		if err := checkAlias("endpoint", request.Endpoint, &seen); err != nil {
			return err
		}
		for _, pattern := range request.Paths {
			if len(pattern) > maxText || strings.Count(pattern, "**") > mostStars {
				return refused("", "the manifest requests the path %q of endpoint %s: it is too long, or has more than %d **", clipped(pattern), request.Endpoint, mostStars)
			}
			if !strings.HasPrefix(pattern, "/") || path.Clean(pattern) != strings.TrimSuffix(pattern, "/") && pattern != "/" {
				return refused("a path begins with / and has no . or .. in it", "the manifest requests the path %q of endpoint %s, which can't match any", clipped(pattern), request.Endpoint)
			}
		}
	}
	seen = nil
	for _, request := range r.Exec {
		if err := checkAlias("program", request.Program, &seen); err != nil {
			return err
		}
		for _, variableName := range request.Env {
			if variableName != abi.AnyVariable && !variable.MatchString(variableName) {
				return refused("", "the manifest requests the variable %q for program %s, which is no name of a variable", clipped(variableName), request.Program)
			}
		}
	}
	if r.KV != nil && (r.KV.Bytes <= 0 || r.KV.Bytes > abi.MaxKV) {
		return refused("", "the manifest requests a store of %d bytes; it can have 1 to %d", r.KV.Bytes, abi.MaxKV)
	}
	return nil
}

func checkAlias(what, alias string, seen *[]string) error {
	if !name.MatchString(alias) {
		return refused("use lower-case letters, digits and hyphens", "the manifest requests the %s %q, which can't be an alias", what, clipped(alias))
	}
	if slices.Contains(*seen, alias) {
		return refused("put them together", "the manifest requests the %s %s twice", what, alias)
	}
	*seen = append(*seen, alias)
	return nil
}
