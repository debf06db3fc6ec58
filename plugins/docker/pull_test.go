package docker

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	dockerconfig "github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// hub of images in this process. before may answer in its place.
type testRegistry struct {
	host   string
	mu     sync.Mutex
	pulled map[string]int
	before func(w http.ResponseWriter, r *http.Request) bool
}

const (
	registryUser     = "somebody"
	registryPassword = "secret"
)

func newRegistry(t *testing.T, private bool) *testRegistry {
	t.Helper()
	reg := &testRegistry{pulled: map[string]int{}}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if private && (user != registryUser || password != registryPassword) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		reg.mu.Lock()
		if r.Method == http.MethodGet {
			reg.pulled[r.URL.Path]++
		}
		before := reg.before
		reg.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { http.DefaultTransport.(*http.Transport).CloseIdleConnections() })
	address, err := url.Parse(server.URL)
	must(t, err)
	reg.host = address.Host
	return reg
}

// push puts an image of random layers into the registry and returns its name.
func (reg *testRegistry) push(t *testing.T, repository string, layers int64) string {
	t.Helper()
	content, err := random.Image(256<<10, layers)
	must(t, err)
	content, err = mutate.ConfigFile(content, configOf(t, content))
	must(t, err)
	ref, err := name.ParseReference(reg.host+"/"+repository+":1", name.Insecure)
	must(t, err)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	must(t, remote.Write(ref, content, remote.WithTransport(transport), remote.WithAuth(&authn.Basic{Username: registryUser, Password: registryPassword})))
	return ref.String()
}

func configOf(t *testing.T, content v1.Image) *v1.ConfigFile {
	t.Helper()
	config, err := content.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	return config
}

func (s *stage) pullSpec(ref string) sdk.Spec {
	spec := s.spec("web")
	spec.Image = ref
	return spec
}

func (s *stage) removeImage(t *testing.T, ref string) {
	t.Helper()
	_, err := s.api.ImageRemove(context.WithoutCancel(t.Context()), ref, image.RemoveOptions{Force: true})
	must(t, err)
}

func TestPull(t *testing.T) {
	s := newStage(t)
	reg := newRegistry(t, false)
	spec := s.pullSpec(reg.push(t, "some/image", 3))
	prepared, err := s.Prepared(t.Context(), spec)
	must(t, err)
	if prepared {
		t.Error("prepared before it was pulled")
	}
	var most sdk.Progress
	must(t, s.Prepare(t.Context(), spec, func(p sdk.Progress) {
		if p.Action != "pull" || p.Current > p.Total {
			t.Errorf("progress %+v", p)
		}
		if p.Current >= most.Current {
			most = p
		}
	}))
	defer s.removeImage(t, spec.Image)
	if most.Total < 3*256<<10 || most.Current != most.Total {
		t.Errorf("progress came to %+v", most)
	}
	prepared, err = s.Prepared(t.Context(), spec)
	must(t, err)
	if !prepared {
		t.Error("not prepared")
	}
	asked := len(reg.pulled)
	must(t, s.Prepare(t.Context(), spec, nil))
	if len(reg.pulled) != asked {
		t.Error("an image that is there was pulled")
	}
	spec.Pull = sdk.PullAlways
	if prepared, err = s.Prepared(t.Context(), spec); prepared || err != nil {
		t.Errorf("prepared: %t, %v", prepared, err)
	}
	must(t, s.Prepare(t.Context(), spec, nil))
}

func TestPullsOfOneImageAreShared(t *testing.T) {
	s := newStage(t)
	reg := newRegistry(t, false)
	spec := s.pullSpec(reg.push(t, "shared", 1))
	all := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(4)
	reg.before = func(http.ResponseWriter, *http.Request) bool {
		<-all
		return false
	}
	errs := make(chan error, 4)
	for range 4 {
		go func() {
			var once sync.Once
			spec := spec
			errs <- s.Prepare(t.Context(), spec, func(sdk.Progress) { once.Do(waiting.Done) })
		}()
	}
	await(t, "all four to wait", func() bool { return s.pulls.Waiting(spec.Image) == 4 })
	close(all)
	for range 4 {
		must(t, <-errs)
	}
	defer s.removeImage(t, spec.Image)
	waiting.Wait()
	for path, times := range reg.pulled {
		if strings.Contains(path, "/blobs/") && times > 1 {
			t.Errorf("%s was fetched %d times", path, times)
		}
	}
}

// Who gives up doesn't take the pull away from the others; the last one ends it.
func TestPullCancelled(t *testing.T) {
	s := newStage(t)
	reg := newRegistry(t, false)
	spec := s.pullSpec(reg.push(t, "cancelled", 1))
	asked, release := make(chan struct{}, 100), make(chan struct{})
	reg.before = func(_ http.ResponseWriter, r *http.Request) bool {
		asked <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return false
	}
	first, cancelFirst := context.WithCancel(t.Context())
	firstErr, secondErr := make(chan error, 1), make(chan error, 1)
	go func() { firstErr <- s.Prepare(first, spec, nil) }()
	<-asked
	go func() { secondErr <- s.Prepare(t.Context(), spec, nil) }()
	await(t, "the second to join", func() bool { return s.pulls.Waiting(spec.Image) == 2 })
	cancelFirst()
	wantError(t, <-firstErr, sdk.CodeCancelled)
	close(release)
	must(t, <-secondErr)
	s.removeImage(t, spec.Image)

	release = make(chan struct{})
	defer close(release)
	spec.Image = reg.push2(t, "cancelled2")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	for len(asked) > 0 {
		<-asked
	}
	wantError(t, s.Prepare(ctx, spec, nil), sdk.CodeCancelled)
	if s.pulls.Waiting(spec.Image) != 0 {
		t.Error("the pull goes on")
	}
}

func (reg *testRegistry) push2(t *testing.T, repository string) string {
	t.Helper()
	before := reg.before
	reg.setBefore(nil)
	defer reg.setBefore(before)
	return reg.push(t, repository, 1)
}

func (reg *testRegistry) setBefore(before func(http.ResponseWriter, *http.Request) bool) {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.before = before
}

func TestPullFails(t *testing.T) {
	s := newStage(t)
	open, private := newRegistry(t, false), newRegistry(t, true)
	known := open.push(t, "known", 1)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	closed.Close()
	for name, test := range map[string]struct {
		ref  string
		code sdk.Code
	}{
		"no such repository": {open.host + "/unknown:1", sdk.CodeImageNotFound},
		"no such tag":        {strings.TrimSuffix(known, ":1") + ":2", sdk.CodeImageNotFound},
		"not logged in":      {private.host + "/some:1", sdk.CodeUnauthorized},
		"nobody there":       {closed.Addr().String() + "/some:1", sdk.CodeUnavailable},
		"no such registry":   {"registry.invalid/some:1", sdk.CodeUnavailable},
		"not a name":         {"Not A Name", sdk.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.Prepare(t.Context(), s.pullSpec(test.ref), nil)
			e := wantError(t, err, test.code, test.ref)
			if e.Resource != "web" || e.Op != "pull" && test.code != sdk.CodeInvalid || e.Hint == "" {
				t.Errorf("%+v", e)
			}
		})
	}
	spec := s.pullSpec(open.host + "/unknown:1")
	spec.Pull = sdk.PullNever
	wantError(t, s.Prepare(t.Context(), spec, nil), sdk.CodeImageNotFound, spec.Image)
}

func credentialsFor(reg *testRegistry) *configfile.ConfigFile {
	return &configfile.ConfigFile{AuthConfigs: map[string]types.AuthConfig{
		reg.host: {Username: registryUser, Password: registryPassword, ServerAddress: reg.host},
	}}
}

func TestPullWithCredentials(t *testing.T) {
	reg := newRegistry(t, true)
	folder := t.TempDir()
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	must(t, os.WriteFile(filepath.Join(folder, "docker-credential-test"), fmt.Appendf(nil,
		"#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"%s\"}'\n", reg.host, registryUser, registryPassword), 0o755))
	for name, config := range map[string]*configfile.ConfigFile{
		"of the file":       credentialsFor(reg),
		"of a helper":       {CredentialHelpers: map[string]string{reg.host: "test"}, AuthConfigs: map[string]types.AuthConfig{}},
		"of a broken store": {CredentialsStore: "none-like-it", AuthConfigs: map[string]types.AuthConfig{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.config = config
			spec := s.pullSpec(reg.push(t, "private", 1))
			err := s.Prepare(t.Context(), spec, nil)
			if config.CredentialsStore != "" {
				wantError(t, err, sdk.CodeUnauthorized, "docker-credential-none-like-it")
				return
			}
			must(t, err)
			s.removeImage(t, spec.Image)
		})
	}
	if got := configKey("docker.io"); got != "https://index.docker.io/v1/" {
		t.Error(got)
	}
}

func TestFollowPull(t *testing.T) {
	stream := `{"status":"Pulling from library/x","id":"1"}
{"status":"Pulling fs layer","progressDetail":{},"id":"a"}
{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"a"}
{"status":"Downloading","progressDetail":{"current":5,"total":50},"id":"b"}
{"status":"Already exists","progressDetail":{},"id":"c"}
{"status":"Download complete","progressDetail":{},"id":"a"}
{"status":"Extracting","progressDetail":{"current":1,"total":1000},"id":"a"}
`
	var got []string
	report := func(p sdk.Progress) { got = append(got, fmt.Sprintf("%d/%d", p.Current, p.Total)) }
	must(t, followPull(t.Context(), strings.NewReader(stream), report))
	if want := "0/0 0/0 10/100 15/150 15/150 105/150 105/150"; strings.Join(got, " ") != want {
		t.Errorf("got %v", got)
	}
	for stream, want := range map[string]string{
		`{"errorDetail":{"message":"m"},"error":"m"}`: "m",
		`{"status":"x"`: "broke off",
		`{"error":"e"}`: "e",
	} {
		if err := followPull(t.Context(), strings.NewReader(stream), report); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// The credentials are those of docker's own configuration.
func TestPullAfterDockerLogin(t *testing.T) {
	reg := newRegistry(t, true)
	ref := reg.push(t, "private", 1)
	login := base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + registryPassword))
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, reg.host, login), 0o600))
	before := dockerconfig.Dir()
	dockerconfig.SetDir(folder) // what DOCKER_CONFIG says, which is read but once
	t.Cleanup(func() { dockerconfig.SetDir(before) })
	s := newStage(t)
	must(t, s.Prepare(t.Context(), s.pullSpec(ref), nil))
	s.removeImage(t, ref)
}
