// Package docker is the runtime that speaks the Docker Engine API, to Docker
// itself or to any engine that offers the same API, such as podman's socket.
package docker
