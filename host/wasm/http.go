package wasm

import (
	"bytes"
	"context"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// What a request and an answer may have.
const (
	longestPath  = 8 << 10
	mostSegments = 100
	mostHeader   = 64 << 10
)

// methods are those that a plugin may use.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// refusedHeaders are about the connection, which is the host's, or about who
// asks, which the user decides.
var refusedHeaders = []string{
	"authorization", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
	"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}

func httpRequest(c *call, m api.Module, stack []uint64) { put(stack, c.httpRequest(m, stack)) }

func (c *call) httpRequest(m api.Module, stack []uint64) abi.Status {
	var request abi.HTTPRequest
	body, err := c.request(m, stack, &request)
	if err != nil {
		return c.refuse(err)
	}
	if err := c.mayRequest(request); err != nil {
		return c.refuse(err)
	}
	ctx, status := c.waiting()
	if status != abi.OK {
		c.result = nil
		return status
	}
	if !c.handles.room(1) {
		return c.refuse(&limitError{"too many handles are open"})
	}
	bounded, cancel := within(ctx, request.Timeout)
	response, err := c.plugin.machine.Do(bounded, outgoing(request, body))
	if err != nil {
		defer cancel()
		if ctx.Err() != nil {
			return c.interruptedCall(ctx)
		}
		return c.refuse(err)
	}
	return c.answer(c.response(bounded, cancel, response))
}

func outgoing(request abi.HTTPRequest, body []byte) sdk.Request {
	r := sdk.Request{Endpoint: request.Endpoint, Method: request.Method, Path: request.Path, Query: request.Query, Header: request.Headers}
	if len(body) > 0 {
		r.Body = bytes.NewReader(body)
	}
	return r
}

func (c *call) response(ctx context.Context, cancel func(), response *sdk.Response) abi.HTTPResponse {
	result := abi.HTTPResponse{Status: response.Status}
	size := 0
	for _, header := range response.Header {
		if size += len(header[0]) + len(header[1]); size > mostHeader {
			break
		}
		result.Headers = append(result.Headers, header)
	}
	result.Body, _ = c.addStream(ctx, response.Body, func() {
		cancel()
		_ = response.Body.Close()
	})
	return result
}

// mayRequest says whether both the manifest and the user allow a request.
func (c *call) mayRequest(request abi.HTTPRequest) error {
	asked := requestHTTP(c.plugin.report.Manifest.Requests, request.Endpoint)
	if asked == nil {
		return denied("request it in the manifest", "the plugin's manifest doesn't request the endpoint %q", request.Endpoint)
	}
	i := slices.IndexFunc(c.plugin.options.Grants.HTTP, func(g HTTPGrant) bool { return g.Endpoint == request.Endpoint })
	if i < 0 {
		return denied("grant it with `lightshuttle plugin trust`", "the endpoint %q isn't granted to plugin %s", request.Endpoint, c.plugin.name)
	}
	granted := c.plugin.options.Grants.HTTP[i]
	if !slices.Contains(methods, request.Method) {
		return because(sdk.CodeInvalid, "", "the method %q can't be used", clip(request.Method))
	}
	if err := checkPath(request.Path); err != nil {
		return err
	}
	if err := checkHeaders(request.Headers); err != nil {
		return err
	}
	allowed := matchesMethod(asked.Methods, request.Method) && matchesMethod(granted.Methods, request.Method) &&
		matchesPath(asked.Paths, request.Path) && matchesPath(granted.Paths, request.Path)
	if !allowed {
		return denied("", "%s %s of endpoint %s isn't allowed", request.Method, clip(request.Path), request.Endpoint)
	}
	return nil
}

func clip(text string) string { return text[:min(len(text), 200)] }

// checkPath refuses what isn't a plain path: the patterns are matched with what
// is sent.
func checkPath(p string) error {
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	switch {
	case len(p) > longestPath, strings.Count(p, "/") > mostSegments:
		return &limitError{"the path is too long"}
	case !strings.HasPrefix(p, "/"), clean != p:
		return because(sdk.CodeInvalid, "", "the path %q isn't plain: it begins with /, and has no //, . or .. in it", clip(p))
	case strings.ContainsFunc(p, func(r rune) bool {
		return r < 0x20 || r == 0x7f || r == '?' || r == '#' || r == '%' || r == '\\' || r == '\uFFFD'
	}):
		return because(sdk.CodeInvalid, "", "the path %q holds a character that a path can't have; it is given without escapes, and the query beside it", clip(p))
	}
	return nil
}

func checkHeaders(headers [][2]string) error {
	size := 0
	for _, header := range headers {
		name := strings.ToLower(header[0])
		size += len(header[0]) + len(header[1])
		switch {
		case slices.Contains(refusedHeaders, name):
			return denied("", "the header %s isn't the plugin's to set", clip(header[0]))
		case name == "", strings.ContainsFunc(name, notInToken), strings.ContainsAny(header[1], "\r\n\x00"):
			return because(sdk.CodeInvalid, "", "the header %q can't be sent", clip(header[0]))
		}
	}
	if size > mostHeader {
		return &limitError{"the headers are too long"}
	}
	return nil
}

func notInToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
}
