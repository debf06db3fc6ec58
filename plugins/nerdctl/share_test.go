package nerdctl

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// inspectHost answers inspect commands after a while, and knows no containers
// whose name begins with "no".
type inspectHost struct {
	sdk.Host
	takes time.Duration

	mu   sync.Mutex
	runs [][]string
}

func (h *inspectHost) Run(ctx context.Context, command sdk.Command) (sdk.Result, error) {
	ids := command.Args[len([]string{"inspect", "--type", "container"}):]
	h.mu.Lock()
	h.runs = append(h.runs, ids)
	h.mu.Unlock()
	select {
	case <-time.After(h.takes):
	case <-ctx.Done():
		return sdk.Result{}, ctx.Err()
	}
	var found []map[string]any
	for _, id := range ids {
		if strings.HasPrefix(id, "no") {
			return sdk.Result{ExitCode: 1, Stderr: []byte("1 errors: [no such object " + id + "]")}, nil
		}
		id = strings.TrimPrefix(id, "name-")
		found = append(found, map[string]any{"Id": id, "Name": "/name-" + id, "State": map[string]any{"Status": "running"}})
	}
	output, err := json.Marshal(found)
	return sdk.Result{Stdout: output}, err
}

func sharing(t *testing.T, host *inspectHost) *Runtime {
	t.Helper()
	r, err := Open(Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// lookAll looks at all of them at once, and says what became of each.
func lookAll(ctx context.Context, r *Runtime, ids ...string) []string {
	results := make([]string, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			seen, err := r.inspectOne(ctx, id)
			results[i] = seen.ID
			if err != nil {
				results[i] = string(sdk.CodeOf(err))
			}
		})
	}
	all.Wait()
	return results
}

func TestLooksAtTheSameTimeShareAProcess(t *testing.T) {
	for _, test := range []struct {
		name string
		ids  []string
		want []string
		runs int
	}{
		{"one", []string{"a"}, []string{"a"}, 1},
		{"many", []string{"a", "b", "c", "d"}, []string{"a", "b", "c", "d"}, 2},
		{"one by name, and one twice", []string{"a", "name-b", "c", "c"}, []string{"a", "b", "c", "c"}, 0},
		{"one that isn't there", []string{"a", "nothing", "b"}, []string{"a", "not_found", "b"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := &inspectHost{takes: 100 * time.Millisecond}
				r := sharing(t, host)
				if got := lookAll(t.Context(), r, test.ids...); !slices.Equal(got, test.want) {
					t.Errorf("saw %v, want %v", got, test.want)
				}
				if test.runs > 0 && len(host.runs) != test.runs {
					t.Errorf("it took %v", host.runs)
				}
			})
		})
	}
}

// A look must not tell what was so before it was asked for.
func TestALookBeginsAfterItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &inspectHost{takes: time.Second}
		r := sharing(t, host)
		began := time.Now()
		go func() { _, _ = r.inspectOne(t.Context(), "a") }()
		<-time.After(time.Second / 2)
		if _, err := r.inspectOne(t.Context(), "a"); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("the second look was over after %s, %v; want it to begin when the first is over", time.Since(began), err)
		}
	})
}

func TestALookThatHangsHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &inspectHost{takes: time.Hour}
		r := sharing(t, host)
		hanging, cancel := context.WithCancel(t.Context())
		go func() { _, _ = r.inspectOne(hanging, "hangs") }()
		synctest.Wait()
		host.takes = 0
		began := time.Now()
		if got := lookAll(t.Context(), r, "a", "b"); fmt.Sprint(got) != "[a b]" || time.Since(began) > lookPatience {
			t.Errorf("saw %v after %s", got, time.Since(began))
		}
		cancel()
		synctest.Wait()
		if got := lookAll(t.Context(), r, "a", "b"); fmt.Sprint(got) != "[a b]" {
			t.Errorf("saw %v after it was given up", got)
		}
	})
}

func TestALookThatIsGivenUpLetsTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &inspectHost{takes: time.Second}
		r := sharing(t, host)
		go func() { _, _ = r.inspectOne(t.Context(), "first") }()
		synctest.Wait()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second+time.Millisecond)
		defer cancel()
		go func() { _, _ = r.inspectOne(impatient, "impatient") }() // leads the next
		synctest.Wait()
		if got := lookAll(t.Context(), r, "a", "b"); fmt.Sprint(got) != "[a b]" {
			t.Errorf("saw %v", got)
		}
	})
}
