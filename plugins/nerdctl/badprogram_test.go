package nerdctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// scripted returns a runtime whose program is a shell script.
func scripted(t *testing.T, script string) *Runtime {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nerdctl")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	return withProgram(t, path)
}

func withProgram(t *testing.T, path string) *Runtime {
	t.Helper()
	host := machine.New(machine.Options{})
	r, err := Open(Options{Program: path, Dialect: "nerdctl", Host: host})
	must(t, err)
	t.Cleanup(func() {
		must(t, r.Close())
		must(t, host.Close())
	})
	return r
}

// version is how a script answers to `version`, as nerdctl does.
const version = `if [ "$1" = version ]; then echo '{"Client":{"Version":"v2.1.3","Os":"linux"}}'; exit 0; fi
`

func TestBadPrograms(t *testing.T) {
	folder := t.TempDir()
	plainFile := filepath.Join(folder, "nerdctl")
	must(t, os.WriteFile(plainFile, []byte("text"), 0o600))
	rubbishFile := filepath.Join(folder, "nerdctl-rubbish")
	must(t, os.WriteFile(rubbishFile, []byte("\x7fELF rubbish"), 0o700))
	for name, c := range map[string]struct {
		path, script string
		words        []string
	}{
		"missing":         {path: filepath.Join(folder, "none"), words: []string{"there is no program", "install nerdctl"}},
		"not executable":  {path: plainFile, words: []string{"permission denied", "runtimes.nerdctl.path"}},
		"not a program":   {path: rubbishFile, words: []string{"exec format error"}},
		"rubbish":         {script: `head -c 5000 /dev/urandom`, words: []string{"makes no sense", "version"}},
		"another program": {script: `echo "usage: something else"`, words: []string{"makes no sense"}},
		"no version":      {script: `echo '{"Client":{}}'`, words: []string{"makes no sense", "it names no version"}},
		"daemon down": {
			script: version + `echo 'time="2026-11-25T04:10:37Z" level=fatal msg="cannot access containerd socket \"/run/containerd/containerd.sock\": no such file or directory"' >&2; exit 1`,
			words:  []string{"cannot access containerd socket", "start containerd"},
		},
		"permission denied": {
			script: version + `echo 'time="2026-11-25T04:10:37Z" level=fatal msg="failed to dial \"/run/containerd/containerd.sock\": connect: permission denied"' >&2; exit 1`,
			words:  []string{"permission denied", "user who may use the engine"},
		},
		"disk full": {
			script: version + `echo 'time="2026-11-25T04:10:37Z" level=fatal msg="write /var/lib/nerdctl/x: no space left on device"' >&2; exit 1`,
			words:  []string{"no space left on device", "make room"},
		},
		"another version": {
			script: version + `echo 'time="2026-11-25T04:10:37Z" level=fatal msg="unknown flag: --quiet"' >&2; exit 1`,
			words:  []string{"unknown flag: --quiet", "whether its version is one that LightShuttle knows"},
		},
		"silent failure": {script: `exit 7`, words: []string{"exit code 7"}},
		"killed":         {script: `kill -9 $$`, words: []string{"exit code 137"}},
	} {
		t.Run(name, func(t *testing.T) {
			var r *Runtime
			if c.script != "" {
				r = scripted(t, c.script)
			} else {
				r = withProgram(t, c.path)
			}
			_, err := r.Ping(t.Context())
			e, ok := errors.AsType[*sdk.Error](err)
			if !ok || e.Code != sdk.CodeUnavailable || e.Op != "ping" {
				t.Fatalf("got %v (code %q)", err, sdk.CodeOf(err))
			}
			for _, word := range c.words {
				if !strings.Contains(err.Error()+"\n"+e.Hint, word) {
					t.Errorf("%q (hint %q) doesn't say %q", err, e.Hint, word)
				}
			}
			if len(err.Error()) > messageLimit+500 || len(e.Output) > messageLimit+10 {
				t.Errorf("a message of %d bytes, output of %d", len(err.Error()), len(e.Output))
			}
		})
	}
}

func TestAProgramThatHangsEndsWithTheContext(t *testing.T) {
	r := scripted(t, `trap '' TERM; sleep 1000 & wait; wait; sleep 1000`)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := r.Ping(ctx)
	if !sdk.IsCode(err, sdk.CodeTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_, err = r.Watch(ctx, "p", time.Time{})
	if !sdk.IsCode(err, sdk.CodeTimeout) {
		t.Errorf("got %v", err)
	}
}

// One that hangs is given up, whatever it was asked, while nobody else is in a
// hurry.
func TestAClientThatHangsIsGivenUp(t *testing.T) {
	r := scripted(t, `exec sleep 1000`)
	r.answerTimeout = 100 * time.Millisecond
	for what, ask := range map[string]func() error{
		"ping":    func() error { _, err := r.Ping(t.Context()); return err },
		"inspect": func() error { _, err := r.Inspect(t.Context(), "c"); return err },
		"list":    func() error { _, err := r.List(t.Context(), "p"); return err },
		"network": func() error { _, err := r.EnsureNetwork(t.Context(), sdk.Network{Name: "n", Project: "p"}); return err },
	} {
		t.Run(what, func(t *testing.T) {
			wantError(t, ask(), sdk.CodeUnavailable, "didn't answer within 100ms", r.program, "timeouts.engine")
		})
	}
}

// An answer that is too long is refused whole: half of it would be a lie.
func TestAnAnswerOfAHundredMegabytes(t *testing.T) {
	r := scripted(t, `head -c 100000000 /dev/zero | tr '\0' x`)
	_, err := r.Inspect(t.Context(), "c")
	wantError(t, err, sdk.CodeUnavailable, "printed more than can be kept", "version")
}

func TestAnOutputOfAHundredMegabytesPassesThroughExec(t *testing.T) {
	r := scripted(t, `head -c 100000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3`)
	var out counter
	code, err := r.Exec(t.Context(), "c", sdk.ExecOptions{Command: []string{"x"}, Stdout: &out})
	must(t, err)
	if out != 100_000_000 || code != 3 {
		t.Errorf("%d bytes, code %d", out, code)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestStartRefusesAnIDThatIsNone(t *testing.T) {
	r := scripted(t, `if [ "$1" = run ]; then echo surprise; exit 0; fi
echo 'time="x" level=fatal msg="1 errors: [no such object p.c]"' >&2; exit 1`)
	_, err := r.Start(t.Context(), sdk.Spec{Project: "p", Resource: "c", Name: "p.c", Image: "i"})
	wantError(t, err, sdk.CodeUnavailable, "makes no sense")
}

func TestNoSecretIsAnArgument(t *testing.T) {
	folder := t.TempDir()
	r := scripted(t, `for a in "$@"; do printf '%s\n' "$a"; done >> `+folder+`/args
cat > `+folder+`/stdin; echo 0123456789abcdef`)
	_, err := r.Start(t.Context(), sdk.Spec{
		Project: "p", Resource: "c", Name: "p.c", Image: "i",
		Env: map[string]string{"PASSWORD": "s3cret", "KEY": "s3cret\nline", "SPACE": " s3cret "},
	})
	must(t, err)
	r.dialect = dialects["podman"]
	must(t, r.Prepare(t.Context(), builtWithASecret("TOKEN"), nil))
	args, err := os.ReadFile(filepath.Join(folder, "args"))
	must(t, err)
	if bytes.Contains(args, []byte("s3cret")) || !bytes.Contains(args, []byte("\nKEY\n")) || !bytes.Contains(args, []byte("\nOPEN=1\n")) {
		t.Errorf("arguments:\n%s", args)
	}
}

func builtWithASecret(name string) sdk.Spec {
	return sdk.Spec{Image: "i", Build: &sdk.Build{
		Context: "/c", Dockerfile: "/c/Dockerfile", Args: map[string]string{name: "s3cret", "OPEN": "1"}, SecretArgs: []string{name},
	}}
}

// nerdctl itself would put the secret on the command line of buildctl.
func TestASecretThatABuildCanNotKeepIsRefused(t *testing.T) {
	r := scripted(t, `echo "it was started: $*" >&2; exit 1`)
	for _, one := range []struct{ dialect, name, says string }{
		{"nerdctl", "TOKEN", "buildctl"}, {"finch", "TOKEN", "buildctl"}, {"podman", "BUILDAH_FORMAT", "can't be given to podman"},
	} {
		r.dialect = dialects[one.dialect]
		spec := builtWithASecret(one.name)
		for _, err := range []error{r.Validate(t.Context(), spec), r.Prepare(t.Context(), spec, nil)} {
			wantError(t, err, sdk.CodeUnsupported, "build_args."+one.name)
			wantError(t, err, sdk.CodeUnsupported, one.says)
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("it says %v", err)
			}
		}
	}
}

func TestVariablesThatWouldSteerTheClientAreRefused(t *testing.T) {
	r := scripted(t, `exit 1`)
	for _, name := range []string{"PATH", "LD_PRELOAD", "NERDCTL_TOML", "DOCKER_HOST"} {
		_, err := r.Start(t.Context(), sdk.Spec{Name: "p.c", Image: "i", Env: map[string]string{name: "a\nb"}})
		wantError(t, err, sdk.CodeUnsupported, name)
	}
}

func TestAnEngineThatGoesIsTold(t *testing.T) {
	r := scripted(t, `case $1 in
events) while [ ! -f "$0.go" ]; do sleep 0.01; done
  printf '{"Topic":"/namespaces/create","Namespace":"default","Event":"{\"name\":\"%s\"}"}\n\n' "$(cat "$0.go")"
  while [ ! -f "$0.end" ]; do sleep 0.01; done
  echo 'time="x" level=fatal msg="error reading from server: EOF"' >&2; exit 1;;
namespace) [ "$2" = create ] && printf %s "$3" > "$0.new" && mv "$0.new" "$0.go";;
esac
exit 0`)
	events, err := r.Watch(t.Context(), "p", time.Time{})
	must(t, err)
	must(t, os.WriteFile(r.program+".end", nil, 0o600))
	event := <-events
	if event.Type != sdk.EventLost || !strings.Contains(event.Err.Error(), "error reading from server") {
		t.Errorf("got %+v", event)
	}
	if event, open := <-events; open {
		t.Errorf("after it came %+v", event)
	}
}

func TestTranslate(t *testing.T) {
	data, err := os.ReadFile("testdata/events.jsonl")
	must(t, err)
	var got strings.Builder
	decoder := json.NewDecoder(bytes.NewReader(data))
	for decoder.More() {
		var l line
		must(t, decoder.Decode(&l))
		h, ok := l.translate("default")
		if !ok {
			continue
		}
		project := "?"
		if h.Whose != nil {
			project = h.Whose.Project + "/" + h.Whose.Resource + "/" + h.Whose.Name
		}
		got.WriteString(strings.Join([]string{string(h.Event.Type), short(h.Event.ID), h.Event.Time.UTC().Format(time.RFC3339Nano), project}, " "))
		if h.Event.Type == sdk.EventExited {
			got.WriteString(" " + string(rune('0'+h.Event.ExitCode%10)))
		}
		got.WriteString("\n")
	}
	want, err := os.ReadFile("testdata/events.golden")
	if err != nil || got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func FuzzErrors(f *testing.F) {
	f.Add("time=\"x\" level=fatal msg=\"a\"", "", 1)
	f.Fuzz(func(t *testing.T, stderr, stdout string, code int) {
		if text := said([]byte(stderr), []byte(stdout), code); text == "" || len(text) > messageLimit+10 {
			t.Errorf("%d bytes: %.100q", len(text), text)
		}
	})
}
