package hostile

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// stage is where an attack takes place.
type stage struct {
	// dir is a folder of its own.
	dir string
	// logged is what the host has logged.
	logged lockedBuffer
	logger *slog.Logger

	mu      sync.Mutex
	servers []*http.Server
	// requests are those that have reached a server of the stage.
	requests []*http.Request
	address  string
}

func newStage() (*stage, error) {
	dir, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir}
	s.logged.begun = make(chan struct{}, 1)
	s.logger = slog.New(slog.NewTextHandler(&s.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return s, nil
}

func (s *stage) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// serve lets handler answer at s.address.
func (s *stage) serve(handler http.HandlerFunc) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: patient, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		handler(w, r)
	})}
	s.servers = append(s.servers, server)
	s.address = "http://" + listener.Addr().String()
	go func() { _ = server.Serve(listener) }()
	return nil
}

// serveRaw answers each connection with bytes that no server would send.
func (s *stage) serveRaw(answer func(net.Conn)) error {
	return s.serve(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		answer(conn)
	})
}

func (s *stage) reached() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// gone waits until the process whose number is in a file has ended, or says that
// it goes on.
func gone(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for _, pid := range strings.Fields(string(text)) {
		for alive(pid) {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return errors.New("process " + pid + " goes on")
			}
		}
	}
	return nil
}

// alive says whether a process runs; a zombie doesn't.
func alive(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(rest, []byte("Z"))
}

// announcement is what a module logs when it has begun.
const announcement = "begun"

// lockedBuffer may be written to by many.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	// begun has a value when the announcement was written.
	begun chan struct{}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bytes.Contains(p, []byte(announcement)) {
		select {
		case b.begun <- struct{}{}:
		default:
		}
	}
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
