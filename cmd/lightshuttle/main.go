// Command lightshuttle reads lightshuttle.yml and starts, gates, supervises and
// stops a stack of containers.
package main

import (
	"fmt"
	"os"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload/native"
)

// version is set by the build.
var version = "dev"

func main() {
	if len(os.Args) == 3 && os.Args[1] == host.SuperviseCommand {
		os.Exit(supervise(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == workloadCommand {
		os.Exit(native.Run(os.Args[2:]))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// supervise makes this program the supervisor of a project's processes. That is
// no command for users, and needs nothing of what commands need.
func supervise(dir string) int {
	if err := host.Supervise(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return int(exitcode.Engine)
	}
	return int(exitcode.Done)
}
