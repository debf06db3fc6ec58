package nerdctl

import (
	"context"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/plugins/pulls"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// places is how many processes work at the same time: more of them don't start
// containers faster.
const places = 4

// DefaultAnswerTimeout is how long the client may take to tell what the engine
// knows.
const DefaultAnswerTimeout = 30 * time.Second

// Options say which program to use.
type Options struct {
	// Program is the client: a name to look up, a path, or the alias of a grant.
	// Empty means nerdctl.
	Program string
	// Dialect is "nerdctl", "podman", "finch" or "docker"; empty goes by the
	// program's name.
	Dialect string
	// Namespace is containerd's; empty means the client's own default.
	Namespace string
	// Global are arguments that go before every command, such as podman's
	// --url.
	Global []string
	// AnswerTimeout is how long the client may take to tell what the engine knows;
	// DefaultAnswerTimeout if it is 0.
	AnswerTimeout time.Duration
	// TellAll has Watch tell of all containers, by their ids alone where the engine
	// doesn't say whose they are: who hears of it knows, or looks.
	TellAll bool
	// Host is what runs the program.
	Host sdk.Host
}

// Runtime is one engine, driven by its command line.
type Runtime struct {
	host    sdk.Host
	program string
	dialect dialect
	global  []string
	// answerTimeout bounds calls that need no work of the engine.
	answerTimeout time.Duration
	// places bounds the processes that work.
	places chan struct{}
	// names remembers whose containers are: containerd's events tell ids alone.
	names    *directory.Directory
	tellsAll bool
	// looks makes looks at the same time share a process.
	looks looks
	// pulls makes those who want the same image share one pull.
	pulls *pulls.Shared
	// networks and volumes make a look and a creation one step, inside of this
	// program.
	ground sync.Mutex

	base    context.Context
	end     context.CancelFunc
	workers sync.WaitGroup
}

// Open prepares to use the program, without running it yet. The Runtime is to be
// closed.
func Open(options Options) (*Runtime, error) {
	program := options.Program
	if program == "" {
		program = "nerdctl"
	}
	spoken := dialectOf(program)
	if options.Dialect != "" {
		known, ok := dialects[options.Dialect]
		if !ok {
			return nil, sdk.Errorf(sdk.CodeInvalid, "open", "there is no dialect %q: it is nerdctl, podman, finch or docker", options.Dialect)
		}
		spoken = known
	}
	r := &Runtime{host: options.Host, program: program, dialect: spoken, global: options.Global, tellsAll: options.TellAll, places: make(chan struct{}, places)}
	r.answerTimeout = options.AnswerTimeout
	if r.answerTimeout <= 0 {
		r.answerTimeout = DefaultAnswerTimeout
	}
	if options.Namespace != "" {
		if !spoken.namespaced {
			return nil, sdk.Errorf(sdk.CodeInvalid, "open", "%s has no namespaces", spoken.name)
		}
		r.global = append([]string{"--namespace", options.Namespace}, r.global...)
	}
	r.names = directory.New()
	r.base, r.end = context.WithCancel(context.Background())
	r.pulls = pulls.New(r.base, func(pull func()) error {
		r.workers.Go(pull)
		return nil
	})
	return r, nil
}

// Close ends what the Runtime follows, and waits for it.
func (r *Runtime) Close() error {
	r.end()
	r.workers.Wait()
	return nil
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
	_ sdk.Restarter  = (*Runtime)(nil)
	_ sdk.EnvReader  = (*Runtime)(nil)
)
