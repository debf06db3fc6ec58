package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	tiny    = "lightshuttle-test/tiny:1"
	busybox = "busybox:1.36"
)

// small is the stack of the matrix. It has one of everything that the program
// has to do with an engine for: a check by exec, by HTTP and by TCP, a named
// and an anonymous volume, a published port, a resource that completes, and
// dependencies on all conditions.
const small = `project:
  name: %s
resources:
  db:
    container:
      image: lab-volume:1
      command: [serve]
      volumes: ["data:/named"]
      start_timeout: 30s
      stop_grace: 2s
      healthcheck: {test: [CMD, /tiny, get], interval: 2s}
  migrate:
    container:
      image: lightshuttle-test/tiny:1
      command: [exit, "0"]
      depends_on: [db]
      start_timeout: 30s
      stop_grace: 2s
  web:
    container:
      image: lightshuttle-test/tiny:1
      command: [serve]
      ports: ["0:8080"]
      depends_on:
        migrate: {condition: completed}
        db: {condition: started}
      start_timeout: 30s
      stop_grace: 2s
      healthcheck: {http: {port: 8080}}
  side:
    container:
      image: lightshuttle-test/tiny:1
      command: [serve]
      start_timeout: 30s
      stop_grace: 2s
      healthcheck: {tcp: {port: 8080}}
`

func writeSmall(dir, project string) error {
	return os.WriteFile(filepath.Join(dir, "lightshuttle.yml"), fmt.Appendf(nil, small, project), 0o600)
}
