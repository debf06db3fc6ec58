package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"

	"github.com/containerd/errdefs/pkg/errhttp"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/client"
)

// answer sends one request and returns the answer, whose body is to be closed.
// It stands in for the client library where that can't be cancelled (it
// takes over the connection of an exec without a look at the context) or hides
// the answer (it returns from an event subscription before it knows whether it
// stands).
func (r *Runtime) answer(ctx context.Context, method, endpoint string, query url.Values, content any) (*http.Response, error) {
	request, err := r.request(ctx, method, endpoint, query, content)
	if err != nil {
		return nil, err
	}
	response, err := r.api.HTTPClient().Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer response.Body.Close()
		return nil, refused(response)
	}
	return response, nil
}

// takeOver sends one request and returns the connection, which belongs to the
// caller from then on. It closes with the context.
func (r *Runtime) takeOver(ctx context.Context, endpoint string, content any) (io.ReadWriteCloser, error) {
	request, err := r.request(ctx, http.MethodPost, endpoint, nil, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "tcp")
	// The library's client wraps the connection, which then can't be closed for
	// writing alone.
	response, err := r.line.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer response.Body.Close()
		return nil, refused(response)
	}
	connection, ok := response.Body.(io.ReadWriteCloser)
	if !ok || response.StatusCode != http.StatusSwitchingProtocols {
		response.Body.Close()
		return nil, fmt.Errorf("the engine answered %s instead of handing over the connection", response.Status)
	}
	context.AfterFunc(ctx, func() { connection.Close() })
	return connection, nil
}

func (r *Runtime) request(ctx context.Context, method, endpoint string, query url.Values, content any) (*http.Request, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return nil, err
	}
	address, err := r.endpoint(endpoint, query)
	if err != nil {
		return nil, err
	}
	body := io.Reader(http.NoBody)
	if content != nil {
		encoded, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// endpoint is the URL of a part of the API. Where the transport dials a socket,
// the host in it counts for nothing, but there has to be one.
func (r *Runtime) endpoint(endpoint string, query url.Values) (string, error) {
	host, err := client.ParseHostURL(r.api.DaemonHost())
	if err != nil {
		return "", err
	}
	address := url.URL{Scheme: "http", Host: client.DummyHost, Path: path.Join("/", host.Path, "v"+r.api.ClientVersion(), endpoint), RawQuery: query.Encode()}
	if host.Scheme != "unix" && host.Scheme != "npipe" {
		address.Host = host.Host
	}
	if r.line.secure() {
		address.Scheme = "https"
	}
	return address.String(), nil
}

// refusalLimit bounds what is read of an error's text.
const refusalLimit = 64 << 10

// refused is the error of an answer with an error status.
func refused(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, refusalLimit))
	if err != nil {
		return fmt.Errorf("the engine answered %s", response.Status)
	}
	var said types.ErrorResponse
	if json.Unmarshal(body, &said) != nil || said.Message == "" {
		said.Message = string(bytes.TrimSpace(body))
	}
	return reworded{said.Message, errhttp.ToNative(response.StatusCode)}
}
