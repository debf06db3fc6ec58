// Package docker is the runtime that speaks the Docker Engine API, to Docker
// itself or to any engine that offers the same API, such as podman's socket.
//
// What happens to containers is learned from the engine's events, one stream
// for all who wait (see hub). Readiness is found out by running the check at
// once and often, because the engine's own scheduler waits a whole interval
// before its first one. When a request ends in an unclear way, the truth is
// looked up before anything is decided.
//
// A build is never skipped because an image of that tag exists: whether the
// sources have changed is for the builder's cache to find out, and it does so
// in a moment.
package docker
