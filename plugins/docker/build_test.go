package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/image"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// folder writes files, given as path and content; a content that begins with
// "->" is a symbolic link's target.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		full := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		if target, ok := strings.CutPrefix(content, "->"); ok {
			must(t, os.Symlink(target, full))
			continue
		}
		must(t, os.WriteFile(full, []byte(content), 0o644))
	}
	return root
}

func (s *stage) buildSpec(resource, root string) sdk.Spec {
	spec := s.spec(resource)
	spec.Image = s.project + "-" + resource + ":latest"
	spec.Command = nil
	spec.Build = &sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile")}
	return spec
}

// eachBuilder runs the test with BuildKit and with the classic builder.
func eachBuilder(t *testing.T, test func(t *testing.T, s *stage)) {
	for _, builder := range []string{"buildkit", "classic"} {
		t.Run(builder, func(t *testing.T) {
			t.Setenv("DOCKER_BUILDKIT", map[string]string{"buildkit": "1", "classic": "0"}[builder])
			s := newStage(t)
			answer, err := s.negotiated(t.Context())
			must(t, err)
			if mayHaveBuildKit(answer, s.api.ClientVersion()) != (builder == "buildkit") {
				t.Fatal("not the builder to test")
			}
			test(t, s)
		})
	}
}

func TestBuild(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		root := folder(t, map[string]string{
			"Dockerfile": `FROM busybox:1.36 AS base
ARG GREETING
COPY . /app
RUN echo "$GREETING" > /greeting
CMD ["sh", "-c", "cat /greeting; cd /app; ls -A; readlink link; cat link; echo; stat -c '%a %u' run.sh"]
FROM base AS wanted
FROM base AS unused
RUN false
`,
			".dockerignore": "*.log\nDockerfile\n!keep.log\n",
			"a.log":         "a", "keep.log": "k", "file": "content", "link": "->file",
		})
		must(t, os.WriteFile(filepath.Join(root, "run.sh"), nil, 0o750))
		must(t, os.Chmod(filepath.Join(root, "run.sh"), 0o750))
		spec := s.buildSpec("app", root)
		spec.Build.Args = map[string]string{"GREETING": "hello there"}
		spec.Build.Target = "wanted"
		spec.Build.Labels = map[string]string{"x": "y"}
		var steps []sdk.Progress
		must(t, s.Prepare(t.Context(), spec, func(p sdk.Progress) { steps = append(steps, p) }))
		if len(steps) == 0 || !slices.ContainsFunc(steps, func(p sdk.Progress) bool {
			return p.Action == "build" && p.Total > 0 && p.Current <= p.Total && strings.Contains(p.Status, "COPY . /app")
		}) {
			t.Errorf("steps %+v", steps)
		}
		seen, err := s.api.ImageInspect(t.Context(), spec.Image)
		must(t, err)
		if labels := seen.Config.Labels; labels["x"] != "y" || labels[sdk.LabelProject] != s.project || labels[sdk.LabelResource] != "app" {
			t.Errorf("labels %v", labels)
		}
		got := strings.Fields(s.printed(t, s.finished(t, spec))[sdk.Stdout])
		// Docker leaves out a Dockerfile that is ignored, after it has read it.
		want := strings.Fields("hello there .dockerignore file keep.log link run.sh file content 750 0")
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if prepared, err := s.Prepared(t.Context(), spec); prepared || err != nil {
			t.Errorf("prepared: %t, %v", prepared, err)
		}
	})
}

func TestBuildWithADockerfileFromOutside(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		root := folder(t, map[string]string{"file": "f", "left": "l", ".dockerignore": "file\n"})
		outside := folder(t, map[string]string{
			"my.Dockerfile":              "FROM busybox:1.36\nCOPY . /app\nCMD [\"ls\", \"/app\"]\n",
			"my.Dockerfile.dockerignore": "left\n",
		})
		spec := s.buildSpec("app", root)
		spec.Build.Dockerfile = filepath.Join(outside, "my.Dockerfile")
		must(t, s.Prepare(t.Context(), spec, nil))
		if got := s.printed(t, s.finished(t, spec))[sdk.Stdout]; got != "file\n" {
			t.Errorf("got %q", got)
		}
	})
}

func TestBuildFails(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		for name, test := range map[string]struct {
			dockerfile string
			words      []string
			output     string
		}{
			"a command": {
				"FROM busybox:1.36\nARG TOKEN\nRUN true\nRUN echo working; echo secret is $TOKEN; echo last words >&2; exit 3\n",
				[]string{"RUN echo working", "3"},
				"last words",
			},
			"a missing file":   {"FROM busybox:1.36\nCOPY nothing /\n", []string{"nothing", "COPY"}, ""},
			"a wrong line":     {"FROM busybox:1.36\nRUNN x\n", []string{"RUNN"}, ""},
			"a missing base":   {"FROM 127.0.0.1:1/nothing:1\n", []string{"127.0.0.1:1/nothing"}, ""},
			"a missing target": {"FROM busybox:1.36\n", []string{"nowhere"}, ""},
		} {
			t.Run(name, func(t *testing.T) {
				// The classic builder leaves what it made before the failure.
				labelled := strings.Replace(test.dockerfile, ":1.36\n", ":1.36\nLABEL "+sdk.LabelProject+"="+s.project+"\n", 1)
				spec := s.buildSpec("app", folder(t, map[string]string{"Dockerfile": labelled}))
				spec.Build.Args, spec.Build.SecretArgs = map[string]string{"TOKEN": "hunter2"}, []string{"TOKEN"}
				if name == "a missing target" {
					spec.Build.Target = "nowhere"
				}
				err := s.Prepare(t.Context(), spec, nil)
				e := wantError(t, err, sdk.CodeBuildFailed, test.words...)
				if !strings.Contains(e.Output, test.output) || strings.Contains(e.Output+e.Error(), "hunter2") || e.Resource != "app" {
					t.Errorf("%v, output %q", e, e.Output)
				}
			})
		}
	})
}

func TestBuildCancelled(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		spec := s.buildSpec("app", folder(t, map[string]string{
			"Dockerfile": fmt.Sprintf("FROM busybox:1.36\nLABEL %s=%[2]s\nRUN : %[2]s; sleep 1000; true\n", sdk.LabelProject, s.project),
		}))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		failed := make(chan error, 1)
		go func() { failed <- s.Prepare(ctx, spec, nil) }()
		awaitProcess(t, s.project, true)
		cancel()
		wantError(t, <-failed, sdk.CodeCancelled)
		awaitProcess(t, s.project, false)
	})
}

// awaitProcess waits until some process of the machine has the word in its
// command line, or none has.
func awaitProcess(t *testing.T, word string, wanted bool) {
	t.Helper()
	await(t, fmt.Sprintf("a process: %t", wanted), func() bool {
		found, err := filepath.Glob("/proc/[0-9]*/cmdline")
		must(t, err)
		return wanted == slices.ContainsFunc(found, func(path string) bool {
			line, err := os.ReadFile(path)
			return err == nil && bytes.Contains(line, []byte(word))
		})
	})
}

func TestConcurrentBuilds(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		root := folder(t, map[string]string{"Dockerfile": "FROM busybox:1.36\nARG N\nCOPY file /\nRUN echo $N > /n\nCMD [\"cat\", \"/n\"]\n", "file": "f"})
		var all sync.WaitGroup
		for n := range 3 {
			all.Go(func() {
				spec := s.buildSpec(fmt.Sprintf("app%d", n), root)
				spec.Build.Args = map[string]string{"N": fmt.Sprint(n)}
				if err := s.Prepare(t.Context(), spec, nil); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for n := range 3 {
			spec := s.buildSpec(fmt.Sprintf("app%d", n), root)
			if got := s.printed(t, s.finished(t, spec))[sdk.Stdout]; got != fmt.Sprintln(n) {
				t.Errorf("%d printed %q", n, got)
			}
		}
	})
}

func TestBuildSeesEdits(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		root := folder(t, map[string]string{"Dockerfile": "FROM busybox:1.36\nCOPY file /\nCMD [\"cat\", \"/file\"]\n"})
		for _, content := range []string{"one", "two"} {
			must(t, os.WriteFile(filepath.Join(root, "file"), []byte(content), 0o644))
			spec := s.buildSpec("app", root)
			spec.Name += content
			must(t, s.Prepare(t.Context(), spec, nil))
			if got := s.printed(t, s.finished(t, spec))[sdk.Stdout]; got != content {
				t.Errorf("got %q", got)
			}
		}
	})
}

func TestBuildFromAPrivateImage(t *testing.T) {
	eachBuilder(t, func(t *testing.T, s *stage) {
		reg := newRegistry(t, true)
		base := reg.push(t, "base", 1)
		spec := s.buildSpec("app", folder(t, map[string]string{"Dockerfile": "FROM " + base + "\nCOPY Dockerfile /\n"}))
		e := wantError(t, s.Prepare(t.Context(), spec, nil), sdk.CodeBuildFailed)
		if e.Hint == "" {
			t.Errorf("no hint: %v", e)
		}
		s.config = credentialsFor(reg)
		must(t, s.Prepare(t.Context(), spec, nil))
		t.Cleanup(func() {
			// BuildKit keeps it in its cache alone.
			_, err := s.api.ImageRemove(context.WithoutCancel(t.Context()), base, image.RemoveOptions{Force: true})
			if !cerrdefs.IsNotFound(err) {
				must(t, err)
			}
		})
	})
}

// sent is what the classic builder would get.
func sent(t *testing.T, wanted *sdk.Build) map[string]*tar.Header {
	t.Helper()
	content, err := openContext(wanted)
	must(t, err)
	var stream bytes.Buffer
	must(t, content.write(&stream))
	found := map[string]*tar.Header{}
	archive := tar.NewReader(&stream)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		must(t, err)
		if found[header.Name] != nil {
			t.Errorf("%s twice", header.Name)
		}
		found[header.Name] = header
	}
}

func TestIgnored(t *testing.T) {
	files := map[string]string{
		"Dockerfile": "", "a.go": "", "b.txt": "", "sub/a.go": "", "sub/b.txt": "", "sub/deep/a.go": "", "node_modules/x/y.js": "", "node_modules/x/keep.js": "", ".git/config": "",
	}
	for name, test := range map[string]struct{ ignore, gone string }{
		"nothing":                       {"", ""},
		"a comment":                     {"# a.go\n", ""},
		"a pattern is anchored":         {"a.go\n", "a.go"},
		"a slash in front means little": {"/sub/a.go\n", "sub/a.go"},
		"in any folder":                 {"**/a.go\n", "a.go sub/a.go sub/deep/a.go"},
		"a folder":                      {"sub\n", "sub/ sub/a.go sub/b.txt sub/deep/ sub/deep/a.go"},
		"one star is one level":         {"*/a.go\n", "sub/a.go"},
		"an exception":                  {"*.go\n!a.go\n", ""},
		"the last line wins":            {"!a.go\n*.go\n", "a.go"},
		"an exception in a folder":      {"node_modules\n!node_modules/x/keep.js\n", "node_modules/ node_modules/x/ node_modules/x/y.js"},
		"an exception anywhere":         {"node_modules\n!**/keep.js\n", "node_modules/ node_modules/x/ node_modules/x/y.js"},
		"everything":                    {"*\n", "a.go b.txt sub/ sub/a.go sub/b.txt sub/deep/ sub/deep/a.go node_modules/ node_modules/x/ node_modules/x/y.js node_modules/x/keep.js .git/ .git/config"},
		"the Dockerfile is needed":      {"Dockerfile\n.dockerignore\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			with := maps.Clone(files)
			with[".dockerignore"] = test.ignore
			root := folder(t, with)
			wanted := &sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile")}
			without := folder(t, files)
			all := sent(t, &sdk.Build{Context: without, Dockerfile: filepath.Join(without, "Dockerfile")})
			got := sent(t, wanted)
			var gone []string
			for name := range all {
				if got[name] == nil {
					gone = append(gone, name)
				}
			}
			want := strings.Fields(test.gone)
			slices.Sort(gone)
			slices.Sort(want)
			if !slices.Equal(gone, want) {
				t.Errorf("gone: %q, want %q", gone, want)
			}
		})
	}
}

func TestBadIgnoreFile(t *testing.T) {
	root := folder(t, map[string]string{"Dockerfile": "", ".dockerignore": "[\n"})
	_, err := openContext(&sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile")})
	wantError(t, err, sdk.CodeInvalid, ".dockerignore")
}

func TestUnreadableFileFailsTheBuild(t *testing.T) {
	if os.Getuid() == 0 {
		// root reads everything, but not a folder that is gone.
		content := &buildContext{root: filepath.Join(t.TempDir(), "none")}
		if err := content.write(io.Discard); err == nil {
			t.Error("no error")
		}
		return
	}
	root := folder(t, map[string]string{"Dockerfile": "", "file": ""})
	must(t, os.Chmod(filepath.Join(root, "file"), 0))
	content, err := openContext(&sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile")})
	must(t, err)
	if err := content.write(io.Discard); err == nil || !strings.Contains(err.Error(), "file") {
		t.Errorf("got %v", err)
	}
}

func TestABigContextIsStreamed(t *testing.T) {
	root := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	const size = 1 << 30
	must(t, os.Truncate(filepath.Join(root, "Dockerfile"), 0))
	big, err := os.Create(filepath.Join(root, "big"))
	must(t, err)
	must(t, big.Truncate(size))
	must(t, big.Close())
	content, err := openContext(&sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile")})
	must(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	must(t, content.write(io.Discard))
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

func TestWhoMayHaveBuildKit(t *testing.T) {
	for _, test := range []struct {
		os, version, environment string
		want                     bool
	}{
		{"linux", "1.51", "", true},
		{"linux", "1.41", "", true},
		{"linux", "1.38", "", false},
		{"windows", "1.51", "", false},
		{"linux", "1.51", "0", false},
		{"linux", "1.51", "false", false},
		{"linux", "1.51", "1", true},
		{"linux", "1.51", "nonsense", true},
	} {
		t.Setenv("DOCKER_BUILDKIT", test.environment)
		if got := mayHaveBuildKit(&types.Ping{OSType: test.os}, test.version); got != test.want {
			t.Errorf("%+v: %t", test, got)
		}
	}
}
