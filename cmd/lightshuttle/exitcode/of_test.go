package exitcode

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// codes is the whole table; TestEveryCodeIsInTheTable keeps it whole.
var codes = map[sdk.Code]int{
	sdk.CodeInvalid:       1,
	sdk.CodeNotFound:      4,
	sdk.CodeConflict:      4,
	sdk.CodePortInUse:     4,
	sdk.CodeImageNotFound: 4,
	sdk.CodeBuildFailed:   4,
	sdk.CodeUnauthorized:  4,
	sdk.CodeUnavailable:   3,
	sdk.CodeUnsupported:   1,
	sdk.CodeTimeout:       5,
	sdk.CodeCancelled:     130,
	sdk.CodeDenied:        7,
	sdk.CodeExited:        4,
	sdk.CodeUnhealthy:     4,
	sdk.CodeInternal:      3,
}

func TestOfCodes(t *testing.T) {
	for code, want := range codes {
		t.Run(string(code), func(t *testing.T) {
			err := fmt.Errorf("wrapped: %w", sdk.Errorf(code, "start", "it failed"))
			if got := Of(err); got != want {
				t.Errorf("Of() = %d, want %d", got, want)
			}
		})
	}
}

func TestEveryCodeIsInTheTable(t *testing.T) {
	declared := declaredCodes(t)
	if tested := slices.Sorted(maps.Keys(codes)); !slices.Equal(tested, declared) {
		t.Errorf("the table has %v, sdk has %v", tested, declared)
	}
}

// declaredCodes reads the values of sdk's constants of type Code, which nothing
// lists at run time.
func declaredCodes(t *testing.T) []sdk.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../../sdk/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []sdk.Code
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sdk.Code(text))
		return true
	})
	slices.Sort(all)
	return all
}

func TestOf(t *testing.T) {
	timeout := sdk.Errorf(sdk.CodeTimeout, "wait", "too slow")
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nil", nil, 0},
		{"nil with a code", With(Usage, nil), 0},
		{"a plain error", errors.New("disk full"), 1},
		{"the context's deadline", fmt.Errorf("up: %w", context.DeadlineExceeded), 5},
		{"the context's end", context.Canceled, 130},
		{"a code from a newer plugin", sdk.Errorf("novel", "start", "what?"), 3},
		{"a decided code", fmt.Errorf("up: %w", With(Owned, errors.New("pid 7 owns it"))), 6},
		{"a decided code around an sdk code", With(Plugin, timeout), 7},
		{"a decided code inside an sdk error", sdk.Errorf(sdk.CodeInternal, "up", "%w", With(Terminated, context.Canceled)), 143},
		{"two decided codes", With(Usage, With(Owned, timeout)), 2},
		{"the code of a container", With(42, errors.New("app exited")), 42},
		{"the first of several", errors.Join(timeout, sdk.Errorf(sdk.CodeExited, "start", "exited")), 5},
		{"a plain error before an sdk error", errors.Join(errors.New("plain"), timeout), 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Of(test.err); got != test.want {
				t.Errorf("Of() = %d, want %d", got, test.want)
			}
		})
	}
}

func TestWithKeepsTheError(t *testing.T) {
	cause := errors.New("cause")
	err := With(Usage, cause)
	if err.Error() != "cause" || !errors.Is(err, cause) {
		t.Errorf("With() = %v, which isn't %v", err, cause)
	}
}
