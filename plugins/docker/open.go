package docker

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/plugins/pulls"
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
	// AnswerTimeout is how long the engine may take to answer what it knows or
	// does at once; DefaultAnswerTimeout if it is 0.
	AnswerTimeout time.Duration
	// Logger gets what isn't worth an error; nothing by default.
	Logger *slog.Logger
}

// Runtime is one engine. It implements [sdk.Runtime] and every optional
// interface of package sdk.
type Runtime struct {
	api  *client.Client
	line *line
	// address is the engine's, as the user knows it.
	address string
	// local says whether the engine sees the same files as this program.
	local   bool
	config  *configfile.ConfigFile
	logger  *slog.Logger
	events  *hub
	version negotiation
	known   atomic.Pointer[sdk.Info]
	// declared are the volumes of the images that were seen.
	declared declaredVolumes
	// networks has one place, which makes the look and the creation of a network
	// one step: an old engine would give two networks the same name.
	networks chan struct{}
	pulls    *pulls.Shared
}

// Open prepares to talk to the engine, without talking to it yet. It fails when
// the address or docker's configuration makes no sense. The Runtime is to be
// closed.
func Open(options Options) (*Runtime, error) {
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	configuration := config.LoadDefaultConfigFile(warnings{logger})
	where, err := locate(options, configuration)
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeInvalid, Op: "open", Err: err, Hint: "see DOCKER_HOST, DOCKER_CONTEXT and `docker context ls`"}
	}
	line := &line{answerTimeout: options.AnswerTimeout}
	if line.answerTimeout <= 0 {
		line.answerTimeout = DefaultAnswerTimeout
	}
	opts := append(where.options, client.WithAPIVersionNegotiation(), client.WithUserAgent(userAgent), line.tune)
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeInvalid, Op: "open", Err: err, Hint: "see DOCKER_HOST, DOCKER_CERT_PATH and `docker context ls`"}
	}
	r := &Runtime{api: api, line: line, address: where.address, local: isLocal(where.address), config: configuration, logger: logger}
	r.events = newHub(r)
	r.networks = make(chan struct{}, 1)
	r.pulls = pulls.New(r.events.base, r.events.work)
	return r, nil
}

// Close ends the event subscriptions and drops the connections. Nothing of the
// Runtime keeps running after it.
func (r *Runtime) Close() error {
	r.events.close()
	return r.api.Close()
}

// warnings is a writer for what docker's configuration has to say.
type warnings struct{ logger *slog.Logger }

func (w warnings) Write(p []byte) (int, error) {
	w.logger.Warn("docker's configuration", "problem", string(p))
	return len(p), nil
}

var (
	_ sdk.Runtime       = (*Runtime)(nil)
	_ sdk.Pinger        = (*Runtime)(nil)
	_ sdk.Validator     = (*Runtime)(nil)
	_ sdk.Preparer      = (*Runtime)(nil)
	_ sdk.Inspector     = (*Runtime)(nil)
	_ sdk.Lister        = (*Runtime)(nil)
	_ sdk.Remover       = (*Runtime)(nil)
	_ sdk.Logger        = (*Runtime)(nil)
	_ sdk.Execer        = (*Runtime)(nil)
	_ sdk.Networker     = (*Runtime)(nil)
	_ sdk.Volumer       = (*Runtime)(nil)
	_ sdk.OrphanRemover = (*Runtime)(nil)
	_ sdk.PortFinder    = (*Runtime)(nil)
	_ sdk.Watcher       = (*Runtime)(nil)
	_ sdk.Restarter     = (*Runtime)(nil)
	_ sdk.EnvReader     = (*Runtime)(nil)
)
