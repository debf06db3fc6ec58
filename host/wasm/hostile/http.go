package hostile

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

var limitedHTTP = abi.Requests{HTTP: []abi.HTTPAccess{
	{Endpoint: "engine", Methods: []string{"GET", "POST"}, Paths: []string{"/v*/**", "/_ping"}}, {Endpoint: "other"},
}}

func grantGET(s *stage) wasm.Grants {
	return wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: s.address, Methods: []string{"GET"}}}}
}

// request is an attack by one request, which arrives or doesn't.
func request(group, name string, r abi.HTTPRequest, code sdk.Code) Attack {
	if r.Endpoint == "" {
		r.Endpoint = "engine"
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	if r.Path == "" {
		r.Path = "/v1/x"
	}
	arrives := 0
	if code == sdk.CodeConflict {
		arrives = 1
	}
	return Attack{
		Group: group, Name: name, code: code, requests: limitedHTTP, grants: grantGET, options: slow, build: asks(abi.ModuleHTTP, abi.HTTPRequestCall, r),
		before: func(s *stage) error { return s.serve(func(http.ResponseWriter, *http.Request) {}) },
		after: func(s *stage, _ error) error {
			if s.reached() != arrives {
				return fmt.Errorf("the server was reached %d times, want %d", s.reached(), arrives)
			}
			return nil
		},
	}
}

func withHeader(name, value string) abi.HTTPRequest {
	return abi.HTTPRequest{Headers: [][2]string{{name, value}}}
}

// server is an attack by a server, or by who answers in its place.
func server(name string, code sdk.Code, build func(m *wasmtest.Module) wasmtest.Code, answer func(net.Conn)) Attack {
	return Attack{
		Group: "server's behaviour", Name: name, code: code, requests: everything, grants: endpoint, build: build,
		before: func(s *stage) error { return s.serveRaw(answer) },
	}
}

// patiently is an attack that ends by itself.
func patiently(a Attack) Attack {
	a.options = slow
	return a
}

// ask is the code that makes a plain request.
var ask = asks(abi.ModuleHTTP, abi.HTTPRequestCall, abi.HTTPRequest{Endpoint: "engine", Method: "GET", Path: "/"})

// readsAll makes a plain request and reads the answer to its end.
func readsAll(m *wasmtest.Module) wasmtest.Code {
	request := `{"endpoint":"engine","method":"GET","path":"/"}`
	call := m.Import(abi.ModuleHTTP, abi.HTTPRequestCall)
	read := m.Import(abi.ModuleCore, abi.IORead)
	m.Pages = 4
	m.Data(0, []byte(request))
	return join(
		c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(call), wasmtest.Tee(0), wasmtest.If(wasmtest.Get(0), wasmtest.Return),
		wasmtest.Block(wasmtest.Forever(c32(1), c32(65536), c32(65536), wasmtest.Call(read), wasmtest.Tee(0), c32(1), wasmtest.Code{0x48}, wasmtest.BrIf(1))),
		c32(0), wasmtest.Get(0), wasmtest.I32Sub)
}

func repeatedly(conn net.Conn, text string) {
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

const okay = "HTTP/1.1 200 OK\r\n"

func httpAttacks() []Attack {
	attacks := []Attack{
		request("http alias", "what is allowed works", abi.HTTPRequest{}, sdk.CodeConflict),
		request("http alias", "one that isn't requested", abi.HTTPRequest{Endpoint: "world"}, sdk.CodeDenied),
		request("http alias", "one that isn't granted", abi.HTTPRequest{Endpoint: "other", Path: "/"}, sdk.CodeDenied),
		request("http alias", "an address", abi.HTTPRequest{Endpoint: "http://192.0.2.1", Path: "/"}, sdk.CodeDenied),
		request("http alias", "in other letters", abi.HTTPRequest{Endpoint: "ENGINE"}, sdk.CodeDenied),
		request("http method", "that isn't granted", abi.HTTPRequest{Method: "POST"}, sdk.CodeDenied),
		request("http method", "that isn't requested", abi.HTTPRequest{Method: "DELETE"}, sdk.CodeDenied),
		request("http method", "in small letters", abi.HTTPRequest{Method: "get"}, sdk.CodeInvalid),
		request("http method", "CONNECT", abi.HTTPRequest{Method: "CONNECT"}, sdk.CodeInvalid),
		request("http method", "with a line", abi.HTTPRequest{Method: "GET / HTTP/1.1\r\nX: y"}, sdk.CodeInvalid),
		request("http path", "that isn't allowed", abi.HTTPRequest{Path: "/secret"}, sdk.CodeDenied),
		request("http path", "that goes up", abi.HTTPRequest{Path: "/v1/../secret"}, sdk.CodeInvalid),
		request("http path", "that goes up, escaped", abi.HTTPRequest{Path: "/v1/%2e%2e/secret"}, sdk.CodeInvalid),
		request("http path", "that goes up by backslashes", abi.HTTPRequest{Path: `/v1/..\..\secret`}, sdk.CodeInvalid),
		request("http path", "with two slashes", abi.HTTPRequest{Path: "//192.0.2.1/v1/x"}, sdk.CodeInvalid),
		request("http path", "with a query", abi.HTTPRequest{Path: "/v1/x?y"}, sdk.CodeInvalid),
		request("http path", "with a fragment", abi.HTTPRequest{Path: "/v1/x#y"}, sdk.CodeInvalid),
		request("http path", "with a line", abi.HTTPRequest{Path: "/v1/x\r\nX: y"}, sdk.CodeInvalid),
		request("http path", "without end", abi.HTTPRequest{Path: "/v1/" + strings.Repeat("x/", 4000)}, sdk.CodeInternal),
		request("absolute URI", "of another host", abi.HTTPRequest{Path: "http://192.0.2.1/v1/x"}, sdk.CodeInvalid),
		request("absolute URI", "of another protocol", abi.HTTPRequest{Path: "file:///etc/passwd"}, sdk.CodeInvalid),
		request("absolute URI", "of nothing", abi.HTTPRequest{Path: "*"}, sdk.CodeInvalid),
		request("header smuggling", "Host", withHeader("Host", "x"), sdk.CodeDenied),
		request("header smuggling", "Authorization", withHeader("authorization", "x"), sdk.CodeDenied),
		request("header smuggling", "Transfer-Encoding", withHeader("Transfer-Encoding", "chunked"), sdk.CodeDenied),
		request("header smuggling", "Content-Length", withHeader("Content-Length", "5"), sdk.CodeDenied),
		request("header smuggling", "Connection", withHeader("Connection", "close, X-Secret"), sdk.CodeDenied),
		request("header smuggling", "Upgrade", withHeader("Upgrade", "tcp"), sdk.CodeDenied),
		request("header smuggling", "Expect", withHeader("Expect", "100-continue"), sdk.CodeDenied),
		request("header smuggling", "a line in a value", withHeader("X", "a\r\nHost: b"), sdk.CodeInvalid),
		request("header smuggling", "a line in a name", withHeader("X\r\nHost", "b"), sdk.CodeInvalid),
		request("header smuggling", "a colon in a name", withHeader("Host: b\r\nX", "b"), sdk.CodeInvalid),
		request("header smuggling", "a space in a name", withHeader("Transfer-Encoding ", "chunked"), sdk.CodeInvalid),
		request("header smuggling", "a NUL byte", withHeader("X", "a\x00b"), sdk.CodeInvalid),
		request("header smuggling", "100 KiB", withHeader("X", strings.Repeat("x", 100<<10)), sdk.CodeInternal),
		request("header smuggling", "a line in the query", abi.HTTPRequest{Query: [][2]string{{"a", "b HTTP/1.1\r\nX: y"}}}, sdk.CodeConflict),
	}
	for name, location := range map[string]string{"to another host": "http://192.0.2.1/", "to a path that isn't allowed": "/secret", "to a file": "file:///etc/passwd", "to itself": ""} {
		a := request("redirect", name, abi.HTTPRequest{}, sdk.CodeConflict)
		a.before = func(s *stage) error {
			return s.serve(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", cmp.Or(location, r.URL.Path))
				w.WriteHeader(http.StatusFound)
			})
		}
		attacks = append(attacks, a)
	}
	return append(attacks,
		server("never answers", sdk.CodeTimeout, ask, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }),
		server("hangs up", sdk.CodeUnavailable, ask, func(net.Conn) {}),
		server("answers rubbish", sdk.CodeUnavailable, ask, func(conn net.Conn) { _, _ = io.WriteString(conn, "SSH-2.0-x\r\n\r\n") }),
		patiently(server("sends headers for ever", sdk.CodeUnavailable, ask, func(conn net.Conn) {
			_, _ = io.WriteString(conn, okay)
			repeatedly(conn, "X: "+strings.Repeat("x", 1000)+"\r\n")
		})),
		patiently(server("says that it goes on, for ever", sdk.CodeUnavailable, ask, func(conn net.Conn) {
			repeatedly(conn, "HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n")
		})),
		server("sends its answer for ever", sdk.CodeTimeout, readsAll, func(conn net.Conn) {
			_, _ = io.WriteString(conn, okay+"\r\n")
			repeatedly(conn, strings.Repeat("x", 64<<10))
		}),
		server("sends its answer byte by byte", sdk.CodeTimeout, readsAll, func(conn net.Conn) {
			_, _ = io.WriteString(conn, okay+"\r\n")
			for {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
				wait(5 * time.Millisecond)
			}
		}),
		server("lies about its answer's length", sdk.CodeInternal, readsAll, func(conn net.Conn) {
			_, _ = io.WriteString(conn, okay+"Content-Length: 9223372036854775807\r\n\r\nx")
		}),
		server("sends rubbish as chunks", sdk.CodeInternal, readsAll, func(conn net.Conn) {
			_, _ = io.WriteString(conn, okay+"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx")
		}),
	)
}

// wait is how slow a server is.
func wait(d time.Duration) { <-time.After(d) }
