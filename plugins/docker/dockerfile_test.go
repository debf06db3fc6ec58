package docker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// What can't be built is known before anything is begun.
func TestBuildOfNothing(t *testing.T) {
	root := folder(t, map[string]string{"file": "", "Dockerfile": "FROM scratch\n"})
	at := func(context, dockerfile string) *sdk.Build {
		return &sdk.Build{Context: filepath.Join(root, context), Dockerfile: filepath.Join(root, dockerfile)}
	}
	_, r := newFake(t, "1.41", nil)
	must(t, r.Validate(t.Context(), sdk.Spec{Build: at("", "Dockerfile")}))
	for name, test := range map[string]struct {
		build *sdk.Build
		says  string
	}{
		"no Dockerfile":            {at("", "none"), "Dockerfile " + root},
		"a folder as Dockerfile":   {at("", ""), root},
		"no context":               {at("none", "Dockerfile"), "build context"},
		"a file as context":        {at("file", "Dockerfile"), "build context"},
		"a Dockerfile of no stage": {at("", "file"), "has no FROM"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := sdk.Spec{Resource: "app", Image: "x", Build: test.build}
			for _, err := range []error{r.Validate(t.Context(), spec), r.Prepare(t.Context(), spec, nil)} {
				if e := wantError(t, err, sdk.CodeInvalid, test.says); e.Hint == "" || e.Resource != "app" {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

// None of these is sent to an engine: one without a stage kills docker 20.10.
func TestStages(t *testing.T) {
	for name, test := range map[string]struct {
		dockerfile string
		args       map[string]string
		want       bool
	}{
		"usual":                   {"FROM scratch\n", nil, true},
		"lower case, indented":    {"  from scratch", nil, true},
		"after arguments":         {"# x\nARG A=1\n\nFROM\t$A\n", nil, true},
		"with a byte order mark":  {"\ufeffFROM scratch\n", nil, true},
		"line ends of Windows":    {"ARG A\r\nFROM scratch\r\n", nil, true},
		"another frontend":        {"# syntax=example.org/other:1\nmake: x\n", nil, true},
		"another one, in JSON":    {"{\"syntax\": \"example.org/other:1\"}", nil, true},
		"another one, by the way": {"make: x\n", map[string]string{"BUILDKIT_SYNTAX": "example.org/other:1"}, true},
		"empty":                   {"", nil, false},
		"arguments alone":         {"# FROM scratch\nARG A\n", nil, false},
		"commands alone":          {"RUN echo FROM x\n", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t, map[string]string{"Dockerfile": test.dockerfile})
			err := checkStages(sdk.Spec{Build: &sdk.Build{Dockerfile: filepath.Join(root, "Dockerfile"), Args: test.args}})
			if (err == nil) != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBuildWithALinkedDockerfile(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		const dockerfile = "FROM busybox:1.36\nCOPY file /\nCMD [\"cat\", \"/file\"]\n"
		outside := folder(t, map[string]string{"real": dockerfile})
		for resource, target := range map[string]string{"inside": "docker/real", "outside": filepath.Join(outside, "real")} {
			root := folder(t, map[string]string{"file": resource, "docker/real": dockerfile, "Dockerfile": "->" + target})
			linked := filepath.Join(t.TempDir(), "context")
			must(t, os.Symlink(root, linked))
			spec := s.buildSpec(resource, linked)
			must(t, s.Prepare(t.Context(), spec, nil))
			if got := s.printed(t, s.finished(t, spec))[sdk.Stdout]; got != resource {
				t.Errorf("%s printed %q", resource, got)
			}
		}
	})
}
