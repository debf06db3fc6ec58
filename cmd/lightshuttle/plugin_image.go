package main

import (
	"errors"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// The images of the test program. The number changes when the program learns
// something that checks ask for.
const (
	testImage        = "lightshuttle-conformance:1"
	checkedTestImage = "lightshuttle-conformance-checked:1"
)

// workloadCommand is the hidden command by which this program is the test
// program in containers.
const workloadCommand = "conformance-workload"

var testProgram = []string{"/lightshuttle", workloadCommand}

func newPluginTestImage(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "test-image",
		Short: "Write the images of the test program, for an engine to load",
		Long: `Writes a tar file to standard output with the images that ` + "`plugin test`" + ` runs:
this program itself, in two images, one of them with a healthcheck. Engines load
it: docker, podman and nerdctl with their command ` + "`load`" + `.`,
		Example: `  lightshuttle plugin test-image | docker load
  lightshuttle plugin test-image | podman load`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if isTerminal(a.stdout) {
				return usage("the images are no text: write them to a file or a program, as in `lightshuttle plugin test-image | docker load`")
			}
			return writeTestImages(a.stdout)
		},
	}
}

func writeTestImages(w io.Writer) error {
	if runtime.GOOS != "linux" {
		return &sdk.Error{
			Code: sdk.CodeUnsupported, Err: errors.New("the test program in a container is this program, which is none for Linux here"),
			Hint: "write the images on Linux, or take another image of the test program with --image and --program",
		}
	}
	path, err := os.Executable()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	program := workload.Executable{Content: content, Entry: testProgram, Architecture: runtime.GOARCH}
	return workload.WriteImages(w, program, workload.Image{Name: testImage}, workload.Image{Name: checkedTestImage, Check: true})
}
