// Package manifest is the language of lightshuttle.yml: it parses a manifest,
// says everything that is wrong with it and where, interpolates its values, and
// resolves each resource to a container spec and outputs. It is pure: nothing in
// it talks to an engine, a network or the process environment.
package manifest
