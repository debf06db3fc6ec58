package docker

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// What engines really say. Those marked docker and podman were seen of them.
func TestKnownErrors(t *testing.T) {
	for _, test := range []struct {
		status int
		text   string
		code   sdk.Code
	}{
		{500, "driver failed programming external connectivity on endpoint a (b): Bind for 127.0.0.1:5432 failed: port is already allocated", sdk.CodePortInUse},
		{500, "driver failed programming external connectivity on endpoint a (b): Error starting userland proxy: listen tcp4 127.0.0.1:5432: bind: address already in use", sdk.CodePortInUse},
		{500, "failed to set up container networking: driver failed programming external connectivity on endpoint a (b): failed to bind host port for 127.0.0.1:5432:172.17.0.2:5432/tcp: address already in use", sdk.CodePortInUse},
		{500, "Ports are not available: exposing port TCP 0.0.0.0:80 -> 0.0.0.0:0: listen tcp 0.0.0.0:80: bind: address already in use", sdk.CodePortInUse},
		{500, "rootlessport listen tcp 127.0.0.1:5432: bind: address already in use", sdk.CodePortInUse},
		{500, "Error starting userland proxy: listen tcp4 10.9.9.9:80: bind: cannot assign requested address", sdk.CodeInvalid},
		{404, "No such image: nothing:1", sdk.CodeImageNotFound},
		{404, "nothing:1: No such image", sdk.CodeImageNotFound},
		{404, "pull access denied for nothing, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", sdk.CodeImageNotFound},
		{404, "manifest for postgres:999 not found: manifest unknown: manifest unknown", sdk.CodeImageNotFound},
		{404, "repository 127.0.0.1:5000/x not found: name unknown: Unknown name", sdk.CodeImageNotFound},
		{500, "initializing source docker://x/y:1: reading manifest 1 in x/y: manifest unknown", sdk.CodeImageNotFound},
		{500, "Get \"http://127.0.0.1:5000/v2/x/manifests/1\": no basic auth credentials", sdk.CodeUnauthorized},
		{500, "unauthorized: authentication required", sdk.CodeUnauthorized},
		{500, "Get \"https://ghcr.io/v2/\": denied: requested access to the resource is denied", sdk.CodeUnauthorized},
		{500, "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host", sdk.CodeUnavailable},
		{500, "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", sdk.CodeUnavailable},
		{500, "Get \"https://127.0.0.1:5000/v2/\": http: server gave HTTP response to HTTPS client", sdk.CodeUnavailable},
		{500, "toomanyrequests: You have reached your pull rate limit", sdk.CodeUnavailable},
		{409, "Container abc is not running", sdk.CodeExited},
		{409, "Container abc is restarting, wait until the container is running", sdk.CodeExited},
		{409, "can only create exec sessions on running containers: container state improper", sdk.CodeExited},
		{400, "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"nothing\": executable file not found in $PATH: unknown", sdk.CodeInvalid},
		{400, "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"/x\": stat /x: no such file or directory: unknown", sdk.CodeInvalid},
		{400, "OCI runtime create failed: runc create failed: unable to start container process: exec: \"/etc/passwd\": permission denied: unknown", sdk.CodeInvalid},
		{500, "crun: executable file `nothing` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found", sdk.CodeInvalid},
		{400, "invalid mount config for type \"bind\": bind source path does not exist: /nowhere", sdk.CodeInvalid},
		{500, "statfs /nowhere: no such file or directory", sdk.CodeInvalid},
		{500, "unable to find user nobody2: no matching entries in passwd file", sdk.CodeInvalid},
		{409, "remove data: volume is in use - [abc]", sdk.CodeConflict},
		{404, "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network", sdk.CodeUnavailable},
		{403, "all predefined address pools have been fully subnetted", sdk.CodeUnavailable},
		{500, "write /var/lib/docker/tmp/x: no space left on device", sdk.CodeUnavailable},
		{400, "client version 1.52 is too new. Maximum supported API version is 1.41", sdk.CodeUnavailable},
		{400, "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version", sdk.CodeUnavailable},
		{400, "invalid reference format: repository name must be lowercase", sdk.CodeInvalid},
		{404, "No such container: abc", sdk.CodeNotFound},
		{409, "something else", sdk.CodeConflict},
		{400, "something else", sdk.CodeInvalid},
		{401, "something else", sdk.CodeUnauthorized},
		{403, "something else", sdk.CodeUnauthorized},
		{403, "authorization denied by plugin x: not today", sdk.CodeUnauthorized},
		{403, "error while removing network: network a id b has active endpoints", sdk.CodeConflict},
		{501, "something else", sdk.CodeUnsupported},
		{503, "something else", sdk.CodeUnavailable},
		{500, "something else", sdk.CodeInternal},
	} {
		_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
			"GET /containers/x/json": func(w http.ResponseWriter, _ *http.Request) { refuse(w, test.status, test.text) },
			"POST /containers/x/exec": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusCreated)
				say(w, map[string]string{"Id": "e"})
			},
			"POST /exec/e/start": func(w http.ResponseWriter, _ *http.Request) { refuse(w, test.status, test.text) },
		})
		_, err := r.Inspect(t.Context(), "x")
		e := wantError(t, err, test.code)
		if strings.Contains(e.Error(), "Error response from daemon") || e.Op != "inspect" {
			t.Errorf("it says %q", e)
		}
		// The program's own requests tell errors apart as the client's do.
		_, err = r.Exec(t.Context(), "x", sdk.ExecOptions{Command: []string{"true"}})
		wantError(t, err, test.code)
	}
}

func TestUnreachable(t *testing.T) {
	folder := t.TempDir()
	locked := filepath.Join(folder, "locked.sock")
	must(t, os.WriteFile(locked, nil, 0o600)) // not a socket: it refuses
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	silent.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.Config.ErrorLog = discardLog()
	secure.StartTLS()
	defer secure.Close()
	t.Setenv("PATH", folder) // no ssh
	for name, test := range map[string]struct{ host, says string }{
		"no socket":           {"unix://" + folder + "/none.sock", "start it"},
		"nobody listens":      {"unix://" + locked, "start it"},
		"nobody at the port":  {"tcp://" + silent.Addr().String(), "start it"},
		"no such host":        {"tcp://no-such-host.invalid:2375", "check the address"},
		"TLS without":         {"tcp://" + secure.Listener.Addr().String(), "certificates"},
		"no ssh":              {"ssh://somebody@no-such-host.invalid", "ssh"},
		"the port is another": {"tcp://" + notAnEngine(t), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(Options{Host: test.host})
			must(t, err)
			defer r.Close()
			_, err = r.Ping(t.Context())
			wantError(t, err, sdk.CodeUnavailable, test.host, test.says)
			_, err = r.Start(t.Context(), fakeSpec())
			e := wantError(t, err, sdk.CodeUnavailable, test.host)
			if strings.Contains(e.Hint, "may be left") {
				t.Errorf("hint %q", e.Hint)
			}
			_, err = r.Watch(t.Context(), "p", time.Time{})
			wantError(t, err, sdk.CodeUnavailable, test.host)
		})
	}
}

// notAnEngine is the address of a server that hangs up.
func notAnEngine(t *testing.T) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(cut))
	server.Config.ErrorLog = discardLog()
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestNoPermission(t *testing.T) {
	r, err := Open(Options{Host: "unix:///run/some.sock"})
	must(t, err)
	defer r.Close()
	failure := error(&net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", os.ErrPermission)})
	r.line.failure.Store(&failure)
	wantError(t, r.unavailable("ping", "", failure), sdk.CodeUnavailable, "/run/some.sock", "group docker")
}

func TestContextsErrors(t *testing.T) {
	hanging := make(chan struct{})
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"GET /containers/x/json": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hanging:
			case <-r.Context().Done():
			}
		},
	})
	defer close(hanging)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	_, err := r.Inspect(ctx, "x")
	wantError(t, err, sdk.CodeCancelled)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errEnough) {
		t.Errorf("got %v", err)
	}
}
