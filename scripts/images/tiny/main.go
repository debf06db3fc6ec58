// Command tiny is the workload of tests and benchmarks: a static program that
// behaves as its arguments say. See sdk/conformance/workload.
package main

import (
	"os"

	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload/native"
)

func main() { os.Exit(native.Run(os.Args[1:])) }
