package docker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/connhelper"
	dockercontext "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Options say which engine to use. Without any, it is the one that the docker
// command would use: DOCKER_HOST, else DOCKER_CONTEXT, else the context chosen
// in docker's configuration, else the default socket.
type Options struct {
	// Host is an address such as unix:///var/run/docker.sock, tcp://…, ssh://….
	Host string
	// Context is the name of a docker context.
	Context string
	// Logger gets what isn't worth an error; nothing by default.
	Logger *slog.Logger
}

// Runtime is one engine. It implements [sdk.Runtime] and every optional
// interface of package sdk.
type Runtime struct {
	api     *client.Client
	address string
	config  *configfile.ConfigFile
	logger  *slog.Logger
	events  *hub
	// networks makes the look and the creation of a network one step: an old
	// engine would give two networks the same name.
	networks sync.Mutex
	pulls    pulls
}

// connections is how many idle connections are kept. A stack that starts talks
// to its engine about many containers at once.
const connections = 64

// Open prepares to talk to the engine, without talking to it yet. It fails when
// the address or docker's configuration makes no sense. The Runtime is to be
// closed.
func Open(options Options) (*Runtime, error) {
	configuration := config.LoadDefaultConfigFile(io.Discard)
	opts, err := clientOptions(options, configuration)
	if err != nil {
		e := sdk.Errorf(sdk.CodeInvalid, "docker", "%w", err)
		e.Hint = "see DOCKER_HOST, DOCKER_CONTEXT and `docker context ls`"
		return nil, e
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "docker", "%w", err)
	}
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	r := &Runtime{api: api, address: api.DaemonHost(), config: configuration, logger: logger}
	r.events = newHub(r)
	r.pulls.running = map[string]*pull{}
	return r, nil
}

// Close ends the event subscription and drops the connections.
func (r *Runtime) Close() error {
	r.events.close()
	return r.api.Close()
}

func clientOptions(options Options, configuration *configfile.ConfigFile) ([]client.Opt, error) {
	always := []client.Opt{client.WithAPIVersionNegotiation(), client.WithUserAgent("lightshuttle")}
	host := options.Host
	if host == "" && options.Context == "" {
		host = os.Getenv(client.EnvOverrideHost)
	}
	if host != "" {
		opts, err := hostOptions(host)
		return append(opts, always...), err
	}
	name := contextName(options, configuration)
	if name == "" || name == "default" {
		return append([]client.Opt{client.WithHTTPClient(httpClient()), client.WithHost(client.DefaultDockerHost), client.WithVersionFromEnv()}, always...), nil
	}
	opts, err := contextOptions(name)
	return append(opts, always...), err
}

func contextName(options Options, configuration *configfile.ConfigFile) string {
	if options.Context != "" {
		return options.Context
	}
	if name := os.Getenv("DOCKER_CONTEXT"); name != "" {
		return name
	}
	return configuration.CurrentContext
}

// hostOptions connect to an address, with the certificates of DOCKER_CERT_PATH
// where it is a TCP address.
func hostOptions(host string) ([]client.Opt, error) {
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil {
		return nil, err
	}
	if helper != nil { // ssh://
		transport := &http.Transport{DialContext: helper.Dialer, MaxIdleConnsPerHost: connections}
		return []client.Opt{
			client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}),
			client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer),
		}, nil
	}
	return []client.Opt{client.WithHTTPClient(httpClient()), client.WithTLSClientConfigFromEnv(), withTransport(host), client.WithHost(host), client.WithVersionFromEnv()}, nil
}

// httpClient has no timeout: a grace period may be as long as it likes.
func httpClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: client.CheckRedirect,
	}
}

// withTransport refuses a host that can't be parsed, with a message that names
// it.
func withTransport(host string) client.Opt {
	return func(*client.Client) error {
		if _, err := client.ParseHostURL(host); err != nil {
			return fmt.Errorf("engine address %q: %w", host, err)
		}
		return nil
	}
}

func contextOptions(name string) ([]client.Opt, error) {
	contexts := store.New(config.ContextStoreDir(), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockercontext.DockerEndpoint, func() any { return &dockercontext.EndpointMeta{} }),
	))
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return nil, fmt.Errorf("docker context %q: %w", name, err)
	}
	meta, err := dockercontext.EndpointFromContext(metadata)
	if err != nil {
		return nil, fmt.Errorf("docker context %q: %w", name, err)
	}
	endpoint, err := dockercontext.WithTLSData(contexts, name, meta)
	if err != nil {
		return nil, fmt.Errorf("docker context %q: %w", name, err)
	}
	opts, err := endpoint.ClientOpts()
	if err != nil {
		return nil, fmt.Errorf("docker context %q: %w", name, err)
	}
	return append([]client.Opt{client.WithHTTPClient(httpClient())}, opts...), nil
}

// Ping implements sdk.Pinger.
func (r *Runtime) Ping(ctx context.Context) (sdk.Info, error) {
	version, err := r.api.ServerVersion(ctx)
	if err != nil {
		return sdk.Info{}, r.typed("reach the engine", "", err)
	}
	name := "docker"
	for _, component := range version.Components {
		if component.Name == "Podman Engine" {
			name = "podman"
		}
	}
	return sdk.Info{
		Name: name, Version: version.Version, APIVersion: r.api.ClientVersion(),
		Address: r.address, OS: version.Os, Arch: version.Arch,
	}, nil
}

var (
	_ sdk.Runtime    = (*Runtime)(nil)
	_ sdk.Pinger     = (*Runtime)(nil)
	_ sdk.Validator  = (*Runtime)(nil)
	_ sdk.Preparer   = (*Runtime)(nil)
	_ sdk.Inspector  = (*Runtime)(nil)
	_ sdk.Lister     = (*Runtime)(nil)
	_ sdk.Remover    = (*Runtime)(nil)
	_ sdk.Logger     = (*Runtime)(nil)
	_ sdk.Execer     = (*Runtime)(nil)
	_ sdk.Networker  = (*Runtime)(nil)
	_ sdk.Volumer    = (*Runtime)(nil)
	_ sdk.PortFinder = (*Runtime)(nil)
	_ sdk.Watcher    = (*Runtime)(nil)
)
