package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const defaultPort = "8080"

func (p program) serve(ctx context.Context) int {
	stop := p.Notify()
	fmt.Fprintln(p.Stdout, "serving")
	fmt.Fprintln(p.Stderr, "to stderr")
	ready := time.NewTimer(duration(p.variable("READY_AFTER")))
	defer ready.Stop()
	select {
	case <-stop:
		return 0
	case <-ctx.Done():
		return killed
	case <-ready.C:
	}
	listener, err := p.Listen("tcp", ":"+cmp.Or(p.argument(0), p.variable("PORT"), defaultPort))
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	fmt.Fprintln(p.Stdout, "ready", time.Now().UnixNano())
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok", p.variable("NAME"))
	})}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	select {
	case got := <-stop:
		fmt.Fprintln(p.Stdout, "got", got)
		return 0
	case <-ctx.Done():
		return killed
	case err := <-failed:
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
}

func (p program) udp(ctx context.Context) int {
	stop := p.Notify()
	socket, err := p.ListenPacket("udp", ":"+cmp.Or(p.argument(0), p.variable("PORT"), defaultPort))
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	defer func() { _ = socket.Close() }()
	fmt.Fprintln(p.Stdout, "ready")
	failed := make(chan error, 1)
	go func() { failed <- echo(socket) }()
	select {
	case <-stop:
		return 0
	case <-ctx.Done():
		return killed
	case err := <-failed:
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
}

func echo(socket net.PacketConn) error {
	buffer := make([]byte, 1500)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := socket.WriteTo(buffer[:n], from); err != nil {
			return err
		}
	}
}

// reachLimit is how long a name may be unknown after a container's start: podman's
// name server hears of it a little later, and answers nobody meanwhile.
const reachLimit = 10 * time.Second

func (p program) reach(ctx context.Context) int {
	limited, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	for {
		code := p.get(limited)
		if code != 1 || !pause(limited, reachLimit/100) {
			return code
		}
	}
}

func (p program) get(ctx context.Context) int {
	url := cmp.Or(p.argument(0), "http://127.0.0.1:"+cmp.Or(p.variable("PORT"), defaultPort)+"/")
	transport := &http.Transport{DialContext: p.Dial, DisableKeepAlives: true}
	client := http.Client{Timeout: time.Second, Transport: transport}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 2
	}
	response, err := client.Do(request)
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		fmt.Fprintln(p.Stderr, response.Status)
		return 1
	}
	if _, err := io.Copy(p.Stdout, io.LimitReader(response.Body, 1000)); err != nil {
		return 1
	}
	return 0
}
