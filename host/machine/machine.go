package machine

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// outputLimit is how much of each stream [Machine.Run] keeps.
const outputLimit = 64 << 20

// Options say what a runtime may reach.
type Options struct {
	// Endpoints are the addresses of HTTP services by their aliases, such as
	// unix:///run/podman/podman.sock or http://127.0.0.1:2375.
	Endpoints map[string]string
	// Pass names the variables of our own environment that programs are given,
	// beside the few that every program needs. A name may end in *.
	Pass []string
	// Patience is how long a program that was told to end may go on before it is
	// killed; a second by default.
	Patience time.Duration
	// Logger gets the runtime's log; nothing by default.
	Logger *slog.Logger
}

// Machine is this machine. It is safe for concurrent use, and has to be closed.
type Machine struct {
	options Options
	logger  *slog.Logger

	mu      sync.Mutex
	clients map[string]*http.Client
}

var _ sdk.Host = (*Machine)(nil)

// New returns the machine with what options allow.
func New(options Options) *Machine {
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if options.Patience <= 0 {
		options.Patience = time.Second
	}
	return &Machine{options: options, logger: logger, clients: map[string]*http.Client{}}
}

// Close drops idle connections.
func (m *Machine) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, client := range m.clients {
		client.CloseIdleConnections()
	}
	return nil
}

// Log implements sdk.Host.
func (m *Machine) Log(level sdk.LogLevel, message string) {
	levels := map[sdk.LogLevel]slog.Level{sdk.LogInfo: slog.LevelInfo, sdk.LogWarn: slog.LevelWarn, sdk.LogError: slog.LevelError}
	known, ok := levels[level]
	if !ok {
		known = slog.LevelDebug
	}
	m.logger.Log(context.Background(), known, message)
}

// Sleep implements sdk.Host.
func (m *Machine) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
