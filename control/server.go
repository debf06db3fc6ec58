package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Stack is what a server lets others control; a [*lifecycle.Manager] is one.
type Stack interface {
	Events() *lifecycle.EventLog
	Snapshot() []lifecycle.Resource
	Restart(ctx context.Context, resource string) error
	StopResource(ctx context.Context, resource string) error
	StartResource(ctx context.Context, resource string) error
}

// Options adjust a Server.
type Options struct {
	Info Info
	// Down is called for each request to end the stack. It must not block.
	Down func(Down)
	// Logger gets what isn't worth an error; nothing by default.
	Logger *slog.Logger
}

// Server answers on a socket from before there is a stack until it is closed.
type Server struct {
	options  Options
	http     *http.Server
	listener net.Listener
	// base is the context of operations: they outlive the client that asked for
	// them, and end with the server.
	base       context.Context
	end        context.CancelFunc
	workers    sync.WaitGroup
	attachOnce sync.Once
	// attached is closed once there is a stack.
	attached chan struct{}
	stack    Stack
}

// Serve begins to answer on the socket. The caller has to own the project.
func Serve(path string, options Options) (*Server, error) {
	listener, err := listen(path)
	if err != nil {
		return nil, err
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{options: options, listener: listener, attached: make(chan struct{})}
	s.base, s.end = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(options.Logger.Handler(), slog.LevelDebug),
	}
	s.workers.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			options.Logger.Warn("the control socket has failed", "error", err)
		}
	})
	return s, nil
}

const (
	headerTimeout = 10 * time.Second
	// drainTimeout is what readers of events get to take the last ones.
	drainTimeout = 2 * time.Second
)

// Attach says which stack is controlled from now on. Only the first counts.
func (s *Server) Attach(stack Stack) {
	s.attachOnce.Do(func() {
		s.stack = stack
		close(s.attached)
	})
}

// Close removes the socket and ends what goes on. A stack is to be closed
// first, so that the readers of its events get the last of them.
func (s *Server) Close() {
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // what it could tell, nobody waits for
	}
	s.workers.Wait()
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+routeInfo, func(w http.ResponseWriter, _ *http.Request) { s.say(w, s.options.Info) })
	mux.HandleFunc("GET "+routeResources, s.resources)
	mux.HandleFunc("GET "+routeEvents, s.events)
	mux.HandleFunc("POST "+routeDown, s.down)
	mux.HandleFunc("POST "+routeResources+"/{resource}/{operation}", s.operate)
	return mux
}

// present returns the stack, or nil while there is none.
func (s *Server) present() Stack {
	select {
	case <-s.attached:
		return s.stack
	default:
		return nil
	}
}

func (s *Server) resources(w http.ResponseWriter, _ *http.Request) {
	resources := []lifecycle.Resource{}
	if stack := s.present(); stack != nil {
		resources = stack.Snapshot()
	}
	s.say(w, resources)
}

func (s *Server) down(w http.ResponseWriter, r *http.Request) {
	var asked Down
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, requestLimit)).Decode(&asked); err != nil {
		s.refuse(w, sdk.Errorf(sdk.CodeInvalid, "down", "%w", err))
		return
	}
	s.options.Down(asked)
	w.WriteHeader(http.StatusAccepted)
}

const requestLimit = 64 << 10

func (s *Server) say(w http.ResponseWriter, content any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(content); err != nil {
		s.options.Logger.Debug("a client of the control socket has gone", "error", err)
	}
}

func (s *Server) refuse(w http.ResponseWriter, err error) {
	p := problemOf(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status())
	s.say(w, p)
}
