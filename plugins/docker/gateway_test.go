package docker

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// A container reaches a program of the machine by the name that stands for it,
// also where podman doesn't know the word for its address.
func TestAContainerReachesTheMachine(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	for name, stageOf := range map[string]func(*testing.T) *stage{"docker": newStage, "podman": podmanStage} {
		t.Run(name, func(t *testing.T) {
			s := stageOf(t)
			own := sdk.Network{Name: s.project, Project: s.project}
			_, err := s.EnsureNetwork(t.Context(), own)
			must(t, err)
			for resource, network := range map[string]string{"own": own.Name, "default": ""} {
				spec := s.script(resource, "wget -q -O - http://machine.test:"+port+"/")
				spec.Network, spec.ExtraHosts = network, []string{"machine.test:host-gateway", "other.test:203.0.113.7"}
				id := s.finished(t, spec)
				var out strings.Builder
				must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
					out.Write(e.Data)
					return nil
				}))
				if out.String() != "here" {
					t.Errorf("on the %s network it got %q", resource, out.String())
				}
			}
		})
	}
}
