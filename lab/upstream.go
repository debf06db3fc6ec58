package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// upstream is the engine as the proxy reaches it.
type upstream struct {
	transport *http.Transport

	mu    sync.Mutex
	names map[string]string
}

func newUpstream(socket string) *upstream {
	var dialer net.Dialer
	return &upstream{
		names: map[string]string{},
		transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			},
			DisableKeepAlives:  true, // no call fails because of an engine that isn't there any more
			DisableCompression: true,
		},
	}
}

func (u *upstream) close() { u.transport.CloseIdleConnections() }

// send passes a request on and returns the answer, whose body is to be closed.
func (u *upstream) send(ctx context.Context, r *http.Request) (*http.Response, error) {
	out := r.Clone(ctx)
	out.RequestURI = ""
	out.URL.Scheme, out.URL.Host = "http", "engine"
	if r.Header.Get("Upgrade") == "" {
		for name := range hopByHop {
			out.Header.Del(name)
		}
	}
	if r.ContentLength == 0 {
		out.Body = nil
	}
	return u.transport.RoundTrip(out)
}

const lookupLimit = 2 * time.Second

// name finds the name that goes with an id; it implements nameOf.
func (u *upstream) name(kind, id string) string {
	u.mu.Lock()
	known := u.names[kind+id]
	u.mu.Unlock()
	if known != "" {
		return known
	}
	name := u.ask(kind, id)
	if name == "" {
		return ""
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.names[kind+id] = name
	return name
}

func (u *upstream) ask(kind, id string) string {
	var seen struct {
		Name        string
		ContainerID string
	}
	address := "/" + kind + "/" + id
	if kind != "networks" && kind != "volumes" {
		address += "/json"
	}
	if u.get(address, &seen) != nil {
		return id
	}
	if kind == "exec" {
		return u.name("containers", seen.ContainerID)
	}
	return strings.TrimPrefix(seen.Name, "/")
}

// volumesOf are the names of a container's volumes.
func (u *upstream) volumesOf(container string) []string {
	var seen struct{ Mounts []struct{ Name string } }
	if u.get("/containers/"+container+"/json", &seen) != nil {
		return nil
	}
	var names []string
	for _, mount := range seen.Mounts {
		if mount.Name != "" {
			names = append(names, mount.Name)
		}
	}
	return names
}

func (u *upstream) get(path string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := u.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, response.Body)
		return fmt.Errorf("the engine answered %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
