package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/manifest"
)

const patience = time.Minute

// A YAML block is a whole manifest, or a whole file of settings.
func TestYAML(t *testing.T) {
	for _, b := range blocks(t, "yaml") {
		t.Run(b.String(), func(t *testing.T) {
			if strings.Contains(b.text, "project:") {
				checkManifest(t, b)
				return
			}
			checkSettings(t, b)
		})
	}
}

func checkManifest(t *testing.T, b block) {
	parsed, found := manifest.Parse("lightshuttle.yml", []byte(b.text))
	if len(found) > 0 {
		t.Fatalf("\n%s", found)
	}
	if _, found = parsed.Resolve(manifest.Inputs{}); len(found) > 0 {
		t.Fatalf("\n%s", found)
	}
	path := filepath.Join(t.TempDir(), "lightshuttle.yml")
	if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	if output := run(t, "validate", "--strict", "-f", path); output != "" {
		t.Errorf("validate says: %s", output)
	}
}

func checkSettings(t *testing.T, b block) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.Load(config.Sources{ConfigFile: path}); err != nil {
		t.Fatal(err)
	}
}

// run runs the program to its end, which must be a success.
func run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	output, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("lightshuttle %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// Every command that a page shows is one that there is.
func TestCommands(t *testing.T) {
	makefile := read(t, "../Makefile")
	for _, b := range blocks(t, "sh") {
		for line := range strings.Lines(b.text) {
			words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "$ "))
			for len(words) > 0 && strings.Contains(words[0], "=") {
				words = words[1:] // a variable for one command
			}
			if len(words) == 0 || strings.HasPrefix(words[0], "#") {
				continue
			}
			switch filepath.Base(words[0]) {
			case "lightshuttle":
				t.Run(b.String()+" "+strings.Join(words[1:], " "), func(t *testing.T) { checkCommand(t, words[1:]) })
			case "make":
				for _, target := range words[1:] {
					if !strings.Contains(makefile, "\n"+target+":") {
						t.Errorf("%s: the Makefile has no target %s", b, target)
					}
				}
			case "cp", "chmod", "cd", "git", "go", "docker":
			default:
				t.Errorf("%s: no test knows the command %q", b, line)
			}
		}
	}
}

// offline are the commands that need no engine and change nothing, where they
// need no resource's name either.
var offline = []string{"version", "config show", "validate"}

// checkCommand has the program parse the command, which it does for --help,
// too. Nothing is executed but what is harmless.
func checkCommand(t *testing.T, args []string) {
	if end := slices.IndexFunc(args, func(arg string) bool { return arg == "--" || arg == "|" }); end >= 0 {
		args = args[:end] // the rest is another program's
	}
	name := commandOf(args)
	at := len(args)
	if name == "exec" {
		at = 1 // what comes after the resource is for its container
	}
	help := run(t, slices.Insert(slices.Clone(args), at, "--help")...)
	if usage := strings.TrimSpace("lightshuttle " + name); !strings.Contains(help, "\n  "+usage+" ") {
		t.Errorf("there is no command %q", usage)
	}
	i := slices.Index(args, "-f")
	if i < 0 {
		return
	}
	path := filepath.Join("..", args[i+1])
	if !strings.HasPrefix(args[i+1], "examples/") {
		return
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if slices.Contains(offline, name) || name == "env" {
		run(t, append([]string{"-f", path}, slices.Delete(slices.Clone(args), i, i+2)...)...)
	}
}

// commandOf is the name of the command, without flags and arguments.
func commandOf(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return ""
	}
	parents := []string{"config", "completion"}
	if slices.Contains(parents, args[0]) && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		return args[0] + " " + args[1]
	}
	return args[0]
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// The rules of the lifecycle are all there, in their order.
func TestRules(t *testing.T) {
	text := read(t, "lifecycle.md")
	at := 0
	for i := range 20 {
		rule := fmt.Sprintf("**L%d. ", i+1)
		next := strings.Index(text[at:], rule)
		if next < 0 {
			t.Fatalf("rule L%d is missing or out of order", i+1)
		}
		at += next
	}
}

var eventName = regexp.MustCompile(`"((stack|resource|events)_[a-z]+)"`)

// Each event is explained, and nothing else is.
func TestEvents(t *testing.T) {
	text := read(t, "lifecycle.md")
	var known []string
	for _, match := range eventName.FindAllStringSubmatch(read(t, "../host/lifecycle/event.go")+read(t, "../control/wire.go"), -1) {
		known = append(known, match[1])
		if !strings.Contains(text, "`"+match[1]+"`") {
			t.Errorf("lifecycle.md doesn't explain %s", match[1])
		}
	}
	for _, match := range regexp.MustCompile("`((stack|resource|events)_[a-z]+)`").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, match[1]) {
			t.Errorf("lifecycle.md explains %s, which there isn't", match[1])
		}
	}
}

// The table of exit codes has each code that the program may end with.
func TestExitCodes(t *testing.T) {
	text := read(t, "cli.md")
	for _, code := range []exitcode.Code{
		exitcode.Done, exitcode.Wrong, exitcode.Usage, exitcode.Engine, exitcode.Resource, exitcode.Timeout,
		exitcode.Owned, exitcode.Interrupted, exitcode.Terminated,
	} {
		if !strings.Contains(text, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("cli.md lacks the code %d", code)
		}
	}
}
