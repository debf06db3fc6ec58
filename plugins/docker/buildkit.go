package docker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/docker/api/types/build"
	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/filesync"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// buildWithKit has BuildKit fetch what it needs of the context by a session,
// over which it also asks for credentials. `.dockerignore` is BuildKit's own
// work then. It fails with errNoBuildKit when the engine takes no session.
func (r *Runtime) buildWithKit(ctx context.Context, spec sdk.Spec, record *buildRecord) error {
	open, err := r.openSession(ctx, spec)
	if err != nil {
		return err
	}
	defer open.close()
	options := buildOptions(spec)
	options.Version = build.BuilderBuildKit
	options.SessionID = open.session.ID()
	options.RemoteContext = "client-session"
	options.Dockerfile = filepath.Base(spec.Build.Dockerfile)
	options.BuildID = rand.Text()
	response, err := r.api.ImageBuild(ctx, nil, options)
	if err == nil {
		defer response.Body.Close()
		err = eachMessage(ctx, response.Body, record.trace)
	}
	if ctx.Err() != nil {
		r.cancelBuild(ctx, options.BuildID)
	}
	return err
}

// cancelTimeout bounds the call that ends a build nobody waits for any more.
const cancelTimeout = 5 * time.Second

// cancelBuild makes sure that a build ends whose request was cut: the engine
// doesn't always notice.
func (r *Runtime) cancelBuild(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	if err := r.api.BuildCancel(ctx, id); err != nil {
		r.logger.Debug("cancelling a build", "error", err)
	}
}

// buildSession is a session that the engine has accepted.
type buildSession struct {
	session *session.Session
	ended   chan struct{}
}

func (s *buildSession) close() {
	_ = s.session.Close() // It has nothing to say: its connection is closed with it.
	<-s.ended
}

// openSession returns when the engine has accepted the session.
func (r *Runtime) openSession(ctx context.Context, spec sdk.Spec) (*buildSession, error) {
	folders, err := buildFolders(spec)
	if err != nil {
		return nil, err
	}
	// By this key the engine knows the context again, and fetches only what has
	// changed since the last build.
	key := sha256.Sum256([]byte(spec.Build.Context))
	s, err := session.NewSession(ctx, hex.EncodeToString(key[:]))
	if err != nil {
		return nil, err
	}
	s.Allow(filesync.NewFSSyncProvider(folders))
	s.Allow(&credentials{config: r.config, warn: func(host string, err error) {
		r.logger.Warn("no credentials", "registry", host, "error", err)
	}})
	dialed := make(chan error, 1)
	open := &buildSession{session: s, ended: make(chan struct{})}
	go func() {
		defer close(open.ended)
		// What ends a session shows in the build's own answer.
		_ = s.Run(ctx, func(ctx context.Context, protocol string, meta map[string][]string) (net.Conn, error) {
			conn, err := r.api.DialHijack(ctx, "/session", protocol, meta)
			dialed <- err
			return conn, err
		})
	}()
	if err := <-dialed; err != nil {
		open.close()
		if strings.Contains(err.Error(), "unable to upgrade") {
			return nil, errNoBuildKit
		}
		return nil, err
	}
	return open, nil
}

// buildFolders are the folders that BuildKit may read: the context, and the one
// with the Dockerfile, which may be elsewhere. Files belong to root in the
// image, whoever owns them here.
func buildFolders(spec sdk.Spec) (filesync.StaticDirSource, error) {
	folders := filesync.StaticDirSource{}
	for name, path := range map[string]string{"context": spec.Build.Context, "dockerfile": filepath.Dir(spec.Build.Dockerfile)} {
		folder, err := fsutil.NewFS(path)
		if err != nil {
			return nil, fmt.Errorf("build context: %w", err)
		}
		owned, err := fsutil.NewFilterFS(folder, &fsutil.FilterOpt{Map: func(_ string, stat *fstypes.Stat) fsutil.MapResult {
			stat.Uid, stat.Gid = 0, 0
			return fsutil.MapResultKeep
		}})
		if err != nil {
			return nil, fmt.Errorf("build context: %w", err)
		}
		folders[name] = owned
	}
	return folders, nil
}

// traceID marks the messages in which BuildKit tells of its progress.
const traceID = "moby.buildkit.trace"

// trace reads one message of BuildKit's progress.
func (r *buildRecord) trace(m message) {
	if m.ID != traceID {
		return
	}
	var encoded []byte
	if json.Unmarshal(m.Aux, &encoded) != nil {
		return
	}
	var status control.StatusResponse
	if proto.Unmarshal(encoded, &status) != nil {
		return
	}
	for _, vertex := range status.Vertexes {
		step := r.step(vertex.Digest)
		if vertex.Started != nil {
			r.began(step, vertex.Name)
		}
		if vertex.Completed != nil {
			r.completed(step)
		}
		// When one step fails, those beside it are cancelled.
		if vertex.Error != "" && !strings.Contains(vertex.Error, context.Canceled.Error()) {
			r.failed = step
		}
	}
	for _, log := range status.Logs {
		r.printed(r.step(log.Vertex), log.Msg)
	}
}

// credentials answers BuildKit's questions for credentials from docker's
// configuration. Tokens the engine fetches itself.
type credentials struct {
	auth.UnimplementedAuthServer
	config *configfile.ConfigFile
	warn   func(host string, err error)
}

func (c *credentials) Register(server *grpc.Server) { auth.RegisterAuthServer(server, c) }

// Credentials implements the session's service.
func (c *credentials) Credentials(_ context.Context, request *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	found, err := c.config.GetAuthConfig(configKey(request.Host))
	if err != nil {
		c.warn(request.Host, err) // Public images need none.
		return &auth.CredentialsResponse{}, nil
	}
	if found.IdentityToken != "" {
		return &auth.CredentialsResponse{Secret: found.IdentityToken}, nil
	}
	return &auth.CredentialsResponse{Username: found.Username, Secret: found.Password}, nil
}
