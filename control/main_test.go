package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 30 * time.Second

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c") //nolint:usetesting // the path of a socket has to be short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "shop.sock")
}

// stage is a server with what it needs, and a client of it.
type stage struct {
	*Client
	t       *testing.T
	path    string
	server  *Server
	runtime *fake.Runtime
	manager *lifecycle.Manager
	downs   chan Down
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, path: socketPath(t), downs: make(chan Down, 10)}
	var err error
	s.server, err = Serve(s.path, Options{Info: Info{Project: "shop", PID: os.Getpid(), Version: "1.2"}, Down: func(d Down) { s.downs <- d }})
	must(t, err)
	t.Cleanup(s.close)
	s.Client = NewClient(s.path)
	t.Cleanup(s.Close)
	return s
}

func (s *stage) close() {
	if s.manager != nil {
		s.manager.Close()
	}
	s.server.Close()
}

// start brings up a stack of db and app and attaches it.
func (s *stage) start(scripts map[string]fake.Script) {
	s.t.Helper()
	s.runtime = fake.New(scripts)
	p := &plan.Plan{Project: "shop"}
	for _, name := range []string{"db", "app"} {
		p.Steps = append(p.Steps, plan.Step{Resource: name, Kind: "container", Action: plan.Create, Spec: &sdk.Spec{
			Project: "shop", Resource: name, Name: "shop." + name, Image: "image:1",
			Labels: map[string]string{sdk.LabelProject: "shop", sdk.LabelResource: name},
		}})
	}
	var err error
	s.manager, err = lifecycle.New(p, s.runtime, lifecycle.Options{})
	must(s.t, err)
	s.server.Attach(s.manager)
	must(s.t, s.manager.Start(s.t.Context()))
}

// collect reads events until one of that type of that resource has come.
func (s *stage) collect(since uint64, follow bool, until lifecycle.EventType, resource string) []lifecycle.Event {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	var events []lifecycle.Event
	for event, err := range s.Events(ctx, since, follow) {
		must(s.t, err)
		events = append(events, event)
		if event.Type == until && event.Resource == resource {
			return events
		}
	}
	return events
}

var errBroken = errors.New("broken")
