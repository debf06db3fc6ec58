package main

import (
	"fmt"
	"regexp"
	"strings"
)

// site is a place where the program talks to its engine: the same in each run
// of the same command, as far as the order of things is.
type site struct {
	Method string
	// Path has no version of the API, and names in the place of ids.
	Path string
	// N counts the calls with this method and path from 1.
	N int
	// Resource is whom the call is about; empty when it is about none.
	Resource string
}

func (s site) String() string { return fmt.Sprintf("%s %s #%d", s.Method, s.Path, s.N) }

// key is all of it but the number.
func (s site) key() string { return s.Method + " " + s.Path }

var versionPrefix = regexp.MustCompile(`^/v[0-9.]+/`)

// named are the parts of the API below which the next segment is an id or a
// name.
var named = map[string]bool{"containers": true, "exec": true, "networks": true, "volumes": true}

// collective are the segments there that are none.
var collective = map[string]bool{"json": true, "create": true, "prune": true}

// nameOf finds the name that goes with an id, "" when there is none.
type nameOf func(kind, id string) string

// locate says where a call belongs, but for its number.
func locate(method, path, name, project string, names nameOf) site {
	path = versionPrefix.ReplaceAllString(path, "/")
	segments := strings.Split(strings.Trim(path, "/"), "/")
	subject := name
	if len(segments) > 1 && named[segments[0]] && !collective[segments[1]] {
		subject = names(segments[0], segments[1])
		if subject == "" {
			subject = "unknown"
		}
		segments[1] = short(subject, project)
	}
	place := "/" + strings.Join(segments, "/")
	if name != "" {
		place += "?" + short(name, project)
	}
	resource, ours := strings.CutPrefix(subject, project+".")
	if !ours {
		resource = ""
	}
	return site{Method: method, Path: place, Resource: resource}
}

// short drops the project from a name, which differs from run to run.
func short(name, project string) string {
	if resource, ours := strings.CutPrefix(name, project+"."); ours {
		return resource
	}
	return strings.ReplaceAll(name, project, "PROJECT")
}
