package machine

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Do implements sdk.Host. Redirects are returned, not followed.
func (m *Machine) Do(ctx context.Context, request sdk.Request) (*sdk.Response, error) {
	address, ok := m.options.Endpoints[request.Endpoint]
	if !ok {
		return nil, sdk.Errorf(sdk.CodeDenied, "", "there is no endpoint %q", request.Endpoint)
	}
	if !strings.HasPrefix(request.Path, "/") {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "the path %q doesn't begin with /", request.Path)
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "unix" && base.Scheme != "http" {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "the address %q is neither unix:///path nor http://host:port", address)
	}
	target := url.URL{Scheme: "http", Host: base.Host, Path: request.Path, RawQuery: query(request.Query)}
	if base.Scheme == "unix" {
		target.Host = "localhost"
	}
	outgoing, err := http.NewRequestWithContext(ctx, request.Method, target.String(), request.Body)
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "%w", err)
	}
	for _, header := range request.Header {
		outgoing.Header.Add(header[0], header[1])
	}
	response, err := m.client(base).Do(outgoing) //nolint:bodyclose // whoever asked for it closes it
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, sdk.Errorf(sdk.CodeUnavailable, "", "%s: %w", address, err)
	}
	answer := &sdk.Response{Status: response.StatusCode, Body: response.Body}
	for name, values := range response.Header {
		for _, value := range values {
			answer.Header = append(answer.Header, [2]string{name, value})
		}
	}
	return answer, nil
}

func query(pairs [][2]string) string {
	values := url.Values{}
	for _, pair := range pairs {
		values.Add(pair[0], pair[1])
	}
	return values.Encode()
}

func (m *Machine) client(base *url.URL) *http.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := base.String()
	if client := m.clients[key]; client != nil {
		return client
	}
	transport := &http.Transport{}
	if base.Scheme == "unix" {
		path := base.Path
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	m.clients[key] = client
	return client
}
