// Command counter is a web server on the loopback address, which counts visits
// in a Redis that runs in a container.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, os.Getenv("PORT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, port string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		visits, err := count(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, "visit", visits)
	})
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", port), Handler: mux, ReadHeaderTimeout: time.Second}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() { stopped <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// count adds one to the number of visits, and returns it.
func count(ctx context.Context) (string, error) {
	var dialer net.Dialer
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	store, err := dialer.DialContext(ctx, "tcp", os.Getenv("STORE"))
	if err != nil {
		return "", err
	}
	defer store.Close()
	if _, err := fmt.Fprint(store, "INCR visits\r\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(store).ReadString('\n')
	if err != nil {
		return "", err
	}
	number, is := strings.CutPrefix(strings.TrimSpace(answer), ":")
	if !is {
		return "", fmt.Errorf("the store answered %s", answer)
	}
	return number, nil
}
