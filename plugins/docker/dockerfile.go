package docker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// checkBuild looks whether there is something to build.
func checkBuild(spec sdk.Spec) error {
	wanted := spec.Build
	for _, path := range []string{wanted.Context, wanted.Dockerfile} {
		seen, err := os.Stat(path)
		if err == nil && seen.IsDir() == (path == wanted.Context) {
			continue
		}
		what, hint := "build context", "see build.context in the manifest"
		if path == wanted.Dockerfile {
			what, hint = "Dockerfile", "see build.dockerfile in the manifest"
		}
		if err == nil {
			err = errors.New("it is of the wrong kind: a context is a folder, a Dockerfile is a file")
		}
		return &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Resource: spec.Resource, Err: fmt.Errorf("%s %s: %w", what, path, err), Hint: hint}
	}
	return checkStages(spec)
}

var (
	fromInstruction = regexp.MustCompile(`(?im)^\x{FEFF}?[ \t]*FROM[ \t]`)
	// ownSyntax is a Dockerfile's choice of another frontend, whose language may
	// know no FROM.
	ownSyntax = regexp.MustCompile(`(?i)syntax"?[ \t]*[=:]`)
)

// checkStages refuses a Dockerfile without a stage. Docker 20.10 doesn't: its
// BuildKit panics at one, and the whole engine is gone.
func checkStages(spec sdk.Spec) error {
	content, err := os.ReadFile(spec.Build.Dockerfile)
	if err != nil {
		return &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Resource: spec.Resource, Err: err, Hint: "make it readable"}
	}
	_, frontend := spec.Build.Args["BUILDKIT_SYNTAX"]
	if frontend || fromInstruction.Match(content) || ownSyntax.Match(content) {
		return nil
	}
	return &sdk.Error{
		Code: sdk.CodeInvalid, Op: "build", Resource: spec.Resource,
		Err:  fmt.Errorf("the Dockerfile %s has no FROM", spec.Build.Dockerfile),
		Hint: "begin it with the image to start from, or with FROM scratch",
	}
}

// withReachableDockerfile follows a Dockerfile that is a symbolic link out of
// its folder: builders see nothing but that folder.
func withReachableDockerfile(spec sdk.Spec) sdk.Spec {
	folder, err := filepath.EvalSymlinks(filepath.Dir(spec.Build.Dockerfile))
	if err != nil {
		return spec
	}
	target, err := filepath.EvalSymlinks(spec.Build.Dockerfile)
	if err != nil {
		return spec
	}
	if inside, err := filepath.Rel(folder, target); err == nil && filepath.IsLocal(inside) {
		return spec
	}
	followed := *spec.Build
	followed.Dockerfile = target
	spec.Build = &followed
	return spec
}
