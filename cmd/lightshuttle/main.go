// Command lightshuttle reads lightshuttle.yml and starts, gates, supervises and
// stops a stack of containers.
package main

import (
	"os"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
