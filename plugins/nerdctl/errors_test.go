package nerdctl

import (
	"os"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestErrorsByTheirTexts(t *testing.T) {
	data, err := os.ReadFile("testdata/errors.txt")
	must(t, err)
	r := scripted(t, "exit 1")
	seen := 0
	for block := range strings.SplitSeq(string(data), "\n\n") {
		head, text, _ := strings.Cut(strings.TrimSpace(block), "\n")
		if strings.HasPrefix(head, "#") {
			continue
		}
		code, _, _ := strings.Cut(head, " ")
		seen++
		e := r.refused("op", "res", sdk.Result{ExitCode: 1, Stderr: []byte(text)})
		if string(e.Code) != code {
			t.Errorf("%s\ngot %q: %s", block, e.Code, e)
		}
		if strings.Contains(e.Error(), "level=") || strings.Contains(e.Error(), "\n") {
			t.Errorf("not plain: %q", e.Error())
		}
	}
	if seen < 25 {
		t.Errorf("only %d texts", seen)
	}
}
