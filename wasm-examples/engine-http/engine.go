package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// engine is the engine behind the endpoint of that name.
type engine struct{ host sdk.Host }

// ask makes a request and returns the answer's body. An answer that isn't a
// success is an error with the contract's code.
func (e *engine) ask(ctx context.Context, op, method, path string, query [][2]string, document any) (io.ReadCloser, error) {
	request := sdk.Request{Endpoint: "engine", Method: method, Path: path, Query: query}
	if document != nil {
		data, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		request.Body = bytes.NewReader(data)
		request.Header = [][2]string{{"Content-Type", "application/json"}}
	}
	response, err := e.host.Do(ctx, request)
	if err != nil {
		return nil, err
	}
	if response.Status < 300 || response.Status == 304 {
		return response.Body, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Message == "" {
		answer.Message = strings.TrimSpace(string(text))
	}
	return nil, refusal(op, response.Status, answer.Message)
}

// get makes a request and reads the answer into result, unless that is nil.
func (e *engine) get(ctx context.Context, op, method, path string, query [][2]string, document, result any) error {
	body, err := e.ask(ctx, op, method, path, query, document)
	if err != nil {
		return err
	}
	defer body.Close()
	if result == nil {
		_, err = io.Copy(io.Discard, body)
		return err
	}
	return json.NewDecoder(body).Decode(result)
}

// said are refusals that only the engine's words tell apart.
var said = []struct {
	words string
	code  sdk.Code
}{
	{"port is already allocated", sdk.CodePortInUse},
	{"address already in use", sdk.CodePortInUse},
	{"no such container", sdk.CodeNotFound}, // podman says it with status 500
	{"network not found", sdk.CodeNotFound},
	{"No such image", sdk.CodeImageNotFound},
	{"no such image", sdk.CodeImageNotFound},
	{"image not known", sdk.CodeImageNotFound},
	{"manifest unknown", sdk.CodeImageNotFound},
	{"pull access denied", sdk.CodeImageNotFound},
	{"not found: manifest", sdk.CodeImageNotFound},
	{"unauthorized", sdk.CodeUnauthorized},
	{"executable file not found", sdk.CodeInvalid},
	{"no such file or directory", sdk.CodeInvalid},
	{"is not running", sdk.CodeExited},
	{"container state improper", sdk.CodeExited},
	{"already in use by", sdk.CodeConflict},
	{"already exists", sdk.CodeConflict},
	{"no such host", sdk.CodeUnavailable},
	{"connection refused", sdk.CodeUnavailable},
	{"i/o timeout", sdk.CodeUnavailable},
}

var meant = map[int]sdk.Code{
	400: sdk.CodeInvalid, 401: sdk.CodeUnauthorized, 403: sdk.CodeUnauthorized, 404: sdk.CodeNotFound,
	409: sdk.CodeConflict, 501: sdk.CodeUnsupported, 503: sdk.CodeUnavailable,
}

func refusal(op string, status int, message string) error {
	for _, one := range said {
		if strings.Contains(message, one.words) {
			return &sdk.Error{Code: one.code, Op: op, Err: errors.New(message)}
		}
	}
	code, ok := meant[status]
	if !ok {
		code = sdk.CodeInternal
	}
	return &sdk.Error{Code: code, Op: op, Err: errors.New(message)}
}

// filters is the value of the parameter by which the engine filters.
func filters(by map[string][]string) [2]string {
	data, err := json.Marshal(by)
	if err != nil {
		panic(err) // text always becomes JSON
	}
	return [2]string{"filters", string(data)}
}

func ofProject(project string) map[string][]string {
	return map[string][]string{"label": {sdk.LabelProject + "=" + project}}
}

// The host escapes paths, and refuses those that lead elsewhere.
func container(id, action string) string { return "/containers/" + id + action }

// Ping implements sdk.Pinger.
func (e *engine) Ping(ctx context.Context) (sdk.Info, error) {
	var version struct{ Version, ApiVersion, Os, Arch string } //nolint:revive // the engine's names
	err := e.get(ctx, "ping", "GET", "/version", nil, nil, &version)
	return sdk.Info{Name: "engine-http", Version: version.Version, APIVersion: version.ApiVersion, OS: version.Os, Arch: version.Arch}, err
}
