package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// L19: whatever is recreated says in what it differs, and shows no secret.
func TestL19SaysWhatDiffers(t *testing.T) {
	const head = "project: {name: p}\nresources:\n  db: {redis: {profiles: [never]}}\n"
	container := func(fields string) string {
		return head + "  app: {container: {" + fields + "}}\n"
	}
	const before = `image: "app:1", env: {A: "1", OLD: x}, secrets: {KEY: hush}, ports: ["8080:80"]`
	tests := []struct {
		name, before, now, want string
	}{
		{"image", container(`image: "app:1"`), container(`image: "app:2"`), "image changed (app:1 → app:2)"},
		{"command", container(`image: "app:1", command: [a]`), container(`image: "app:1", command: [a, b]`), "command changed"},
		{"entrypoint", container(`image: "app:1"`), container(`image: "app:1", entrypoint: [a]`), "entrypoint added"},
		{"no-command", container(`image: "app:1", command: [a]`), container(`image: "app:1"`), "command removed"},
		{"env", container(before), container(strings.NewReplacer(`"1"`, `"2"`, "OLD", "NEW").Replace(before)), "env A changed, env NEW added, env OLD removed"},
		{"empty env", container(`image: "app:1"`), container(`image: "app:1", env: {A: ""}`), "env A added"},
		{"secret", container(before), container(strings.Replace(before, "hush", "hush2", 1)), "env KEY changed"},
		{"a secret comes out", container(before), container(`image: "app:1", env: {A: "1", OLD: x, KEY: hush}, ports: ["8080:80"]`), "secrets removed, env KEY changed"},
		{"a name with signs", container(`image: "app:1"`), container(`image: "app:1", env: {"A,B.c%": x}`), "env A,B.c% added"},
		{"many", container(`image: "app:1"`), container(`image: "app:1", env: {A: x, B: x, C: x, D: x, E: x}`), "env A, B, C and 2 more added"},
		{"four", container(`image: "app:1"`), container(`image: "app:1", env: {A: x, B: x, C: x, D: x}`), "env A, B, C, D added"},
		{"ports", container(before), container(strings.Replace(before, "8080", "8081", 1)), "ports changed"},
		{"volumes", container(`image: "app:1"`), container(`image: "app:1", volumes: ["data:/data"], tmpfs: [/tmp]`), "volumes added"},
		{"labels", container(`image: "app:1", labels: {a: b}`), container(`image: "app:1", labels: {a: c}`), "labels changed"},
		{"healthcheck", container(`image: "app:1", healthcheck: {tcp: {port: 80}}`), container(`image: "app:1", healthcheck: {tcp: {port: 81}}`), "healthcheck changed"},
		{"user", container(`image: "app:1", user: a`), container(`image: "app:1", user: b, working_dir: /b, init: true`), "init added, user changed, working_dir added"},
		{"limits", container(`image: "app:1"`), container(`image: "app:1", limits: {pids: 5}`), "limits added"},
		{"stop", container(`image: "app:1"`), container(`image: "app:1", stop_signal: SIGINT, stop_grace: 2s`), "stop_grace added, stop_signal added"},
		{"depends_on", container(`image: "app:1"`), container(`image: "app:1", depends_on: [db]`), "depends_on added, env LSH_DB_HOST, LSH_DB_PASSWORD, LSH_DB_PORT, LSH_DB_URL added"},
		{"build", head + "  app: {dockerfile: {context: .}}\n", head + "  app: {dockerfile: {context: ., target: dev}}\n", "build changed"},
		{"build argument", head + "  app: {dockerfile: {context: ., build_args: {A: hush}}}\n", head + "  app: {dockerfile: {context: ., build_args: {A: hush2}}}\n", "build changed"},
		{"kind", container(`image: "app:1"`), head + "  app: {dockerfile: {context: .}}\n", "build added, image changed (app:1 → lightshuttle/p/app:dev), kind changed"},
		{"too many for the label", container(manyVariables(400, "x")), container(manyVariables(400, "y")), "env changed"},
		{"no longer too many", container(manyVariables(400, "x")), container(`image: "app:1", env: {A: x}`), "env changed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			observed := Observed{Containers: []sdk.State{running(stackFrom(t, test.before), "app")}}
			p, err := Up(stackFrom(t, test.now), observed, Options{Resources: []string{"app"}})
			if err != nil {
				t.Fatal(err)
			}
			step := p.Steps[len(p.Steps)-1]
			if step.Action != Recreate || step.Reason != test.want {
				t.Errorf("app: %s, %q; want recreate, %q", step.Action, step.Reason, test.want)
			}
			if strings.Contains(step.Reason, "hush") {
				t.Error("the reason shows a secret")
			}
		})
	}
}

func manyVariables(count int, value string) string {
	var b strings.Builder
	b.WriteString(`image: "app:1", env: {`)
	for i := range count {
		fmt.Fprintf(&b, "VARIABLE_%d: %s, ", i, value)
	}
	return b.String() + "}"
}

// A container of a program that knew no parts, or other ones, or whose label
// was changed by somebody.
func TestDifferenceWithoutKnownParts(t *testing.T) {
	stack := stackFrom(t, shop)
	own := running(stack, "db").Labels[sdk.LabelParts]
	for _, label := range []string{"", own} {
		state := with(running(stack, "db"), func(s *sdk.State) {
			s.Labels = map[string]string{sdk.LabelHash: "other", sdk.LabelParts: label}
		})
		if got := difference(specOf(stack, "db"), &state); got != "its definition has changed" {
			t.Errorf("difference() with the parts %q = %q", label, got)
		}
	}
	for _, label := range []string{"=", ",,", "%zz=1", "a=b=c", "image"} {
		state := with(running(stack, "db"), func(s *sdk.State) {
			s.Labels = map[string]string{sdk.LabelHash: "other", sdk.LabelParts: label}
		})
		if got := difference(specOf(stack, "db"), &state); !strings.Contains(got, "image added") {
			t.Errorf("difference() with the parts %q = %q", label, got)
		}
	}
}
