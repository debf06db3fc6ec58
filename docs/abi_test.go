package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

// The ABI's functions are all there, with their types, in their order.
func TestABIFunctions(t *testing.T) {
	var want strings.Builder
	for _, f := range abi.Functions() {
		fmt.Fprintf(&want, "(import %q %q (func%s%s))\n", f.Module, f.Name, typeList("param", f.Params), typeList("result", f.Results))
	}
	if got := blocks(t, "wat"); len(got) != 1 || got[0].text != want.String() {
		t.Errorf("%v: want one block with\n%s", got, want.String())
	}
}

func typeList(word string, types []abi.Type) string {
	if len(types) == 0 {
		return ""
	}
	text := " (" + word
	for _, one := range types {
		text += " " + one.String()
	}
	return text + ")"
}

func TestABIOperations(t *testing.T) {
	var want []string
	for _, ability := range abi.Abilities() {
		for _, operation := range ability.Operations {
			want = append(want, string(operation))
		}
	}
	var got []string
	for _, match := range regexp.MustCompile("(?m)^\\| `(ls_[a-z_]+)` \\|").FindAllStringSubmatch(read(t, "abi.md"), -1) {
		got = append(got, match[1])
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the page has %v\nwant %v", got, want)
	}
}

func TestABIStatuses(t *testing.T) {
	page := read(t, "abi.md")
	for status := abi.OK; status <= abi.Unhealthy; status++ {
		match := regexp.MustCompile(fmt.Sprintf(`\| %d \| ([^|]*)`, status)).FindStringSubmatch(page)
		if match == nil {
			t.Errorf("status %d isn't there", status)
			continue
		}
		if code := string(status.Code()); code != "" && abi.StatusOf(status.Code()) == status && !strings.HasPrefix(match[1], code) {
			t.Errorf("status %d is %q, want %s", status, match[1], code)
		}
	}
}

// Each golden vector is what the code writes: read and written again it is the
// same.
func TestABIGoldenVectors(t *testing.T) {
	for _, b := range blocks(t, "json") {
		data := []byte(strings.TrimSpace(b.text))
		target := vectorType(data)
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(target); err != nil {
			t.Errorf("%s: %v", b, err)
			continue
		}
		again, err := json.Marshal(target)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s: is written as\n%s (%v), not as\n%s", b, again, err, data)
		}
	}
}

func vectorType(data []byte) any {
	for prefix, target := range map[string]any{
		`{"ctx":{"op":"ls_start"`:        &abi.Request[abi.SpecArgs]{},
		`{"ctx":{"op":"ls_stop"`:         &abi.Request[abi.StopArgs]{},
		`{"ctx":{"op":"ls_wait_healthy"`: &abi.Request[abi.WaitHealthyArgs]{},
		`{"ctx":{"op":"ls_logs"`:         &abi.Request[abi.LogsArgs]{},
		`{"ctx":{"op":"ls_list"`:         &abi.Request[abi.ProjectArgs]{},
		`{"ctx":{"op":"ls_exec"`:         &abi.Request[abi.ExecArgs]{},
		`{"ctx":{"op":"ls_network`:       &abi.Request[abi.NetworkArgs]{},
		`{"states"`:                      &abi.StatesResult{},
		`{"program"`:                     &abi.ExecRequest{},
		`{"exit_code"`:                   &abi.RunResult{},
		`{"process"`:                     &abi.SpawnResult{},
		`{"stdout"`:                      &abi.LogRequest{},
		`{"place"`:                       &enginelog.End{},
		`{"endpoint"`:                    &abi.HTTPRequest{},
		`{"status"`:                      &abi.HTTPResponse{},
		`{"id"`:                          &abi.StartResult{},
		`{"state"`:                       &abi.StateResult{},
		`{"message"`:                     &abi.Error{},
		`{"type"`:                        &abi.Emission{},
		`{"abi"`:                         &abi.Manifest{},
	} {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return target
		}
	}
	return &struct{}{}
}

// Pieces of code are pieces of what a new project has.
func TestCodeOfPlugins(t *testing.T) {
	source := read(t, "../sdk/guest/scaffold/templates/go/main.go.tmpl") + read(t, "../sdk/guest/scaffold/templates/c/plugin.c.tmpl")
	for _, b := range blocks(t, "go", "c") {
		if !strings.Contains(source, b.text) {
			t.Errorf("%s: isn't in the templates of sdk/guest/scaffold", b)
		}
	}
}
