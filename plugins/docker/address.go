package docker

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/connhelper"
	dockercontext "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// place is an engine's address and how to connect to it.
type place struct {
	address string
	options []client.Opt
}

// defaultContext is docker's name for "no context".
const defaultContext = "default"

// locate chooses the engine as the docker command does; a Host of the options
// goes before everything.
func locate(options Options, configuration *configfile.ConfigFile) (place, error) {
	if options.Host != "" {
		return hostPlace(options.Host)
	}
	if options.Context != "" {
		return contextPlace(options.Context)
	}
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return hostPlace(host)
	}
	if name := os.Getenv("DOCKER_CONTEXT"); name != "" {
		return contextPlace(name)
	}
	return contextPlace(configuration.CurrentContext)
}

// hostPlace is an engine given by its address, with the certificates of
// DOCKER_CERT_PATH where it is a TCP address.
func hostPlace(host string) (place, error) {
	if _, err := client.ParseHostURL(host); err != nil {
		return place{}, fmt.Errorf("engine address %q: it has to be like unix:///path, tcp://host:port or ssh://user@host", host)
	}
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil {
		return place{}, fmt.Errorf("engine address %q: %w", host, err)
	}
	if helper != nil { // ssh://
		return place{host, []client.Opt{
			client.WithHTTPClient(httpClient()),
			client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer),
			client.WithVersionFromEnv(),
		}}, nil
	}
	return place{host, []client.Opt{
		client.WithHTTPClient(httpClient()),
		client.WithTLSClientConfigFromEnv(),
		client.WithHost(host),
		client.WithVersionFromEnv(),
	}}, nil
}

func contextPlace(name string) (place, error) {
	if name == "" || name == defaultContext {
		return hostPlace(client.DefaultDockerHost)
	}
	contexts := store.New(config.ContextStoreDir(), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockercontext.DockerEndpoint, func() any { return &dockercontext.EndpointMeta{} }),
	))
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return place{}, fmt.Errorf("docker context %q: %w", name, err)
	}
	meta, err := dockercontext.EndpointFromContext(metadata)
	if err != nil {
		return place{}, fmt.Errorf("docker context %q: %w", name, err)
	}
	endpoint, err := dockercontext.WithTLSData(contexts, name, meta)
	if err != nil {
		return place{}, fmt.Errorf("docker context %q: %w", name, err)
	}
	options, err := endpoint.ClientOpts()
	if err != nil {
		return place{}, fmt.Errorf("docker context %q: %w", name, err)
	}
	address := meta.Host
	if address == "" {
		address = client.DefaultDockerHost
	}
	return place{address, append([]client.Opt{client.WithHTTPClient(httpClient())}, options...)}, nil
}

func httpClient() *http.Client {
	return &http.Client{Transport: &http.Transport{}, CheckRedirect: client.CheckRedirect}
}

// isLocal says whether an engine at the address runs on this machine, as far as
// the address tells, so that it sees the same files.
func isLocal(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch parsed.Scheme {
	case "unix", "npipe":
		return true
	case "tcp", "http", "https":
		ip := net.ParseIP(parsed.Hostname())
		return parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	}
	return false
}
