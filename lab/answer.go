package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// silent is for a server that cuts connections on purpose.
var silent = log.New(io.Discard, "", 0)

// injected is the text of the answers that fail; a message must repeat it.
const injected = "broken by the laboratory"

// answerWriter is an answer on its way to the program.
type answerWriter struct {
	http.ResponseWriter
	status int
}

// Unwrap lets http.ResponseController find the connection.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fail answers that it failed. The request is read to its end, so that the
// connection stays in use.
func (w *answerWriter) fail(r *http.Request) {
	_ = drainBody(r.Body) // whoever asks is told of the failure anyway
	w.status = http.StatusInternalServerError
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(w.status)
	fmt.Fprintf(w, `{"message":%q}`, injected)
}

func (w *answerWriter) writeHead(response *http.Response) {
	for name, values := range response.Header {
		if hopByHop[name] {
			continue
		}
		w.Header()[name] = values
	}
	w.status = response.StatusCode
	w.WriteHeader(w.status)
	w.flush()
}

func (w *answerWriter) flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() } // the next write tells

// hopByHop are the headers that belong to a connection.
var hopByHop = map[string]bool{"Connection": true, "Keep-Alive": true, "Transfer-Encoding": true, "Upgrade": true, "Trailer": true, "Te": true}

// copyAnswer passes on the answer, each piece as soon as it is there.
func (w *answerWriter) copyAnswer(response *http.Response) error {
	w.writeHead(response)
	buffer := make([]byte, 32<<10)
	for {
		n, err := response.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			w.flush()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// copyHalf passes on the half of an answer; of a stream, of its first piece.
func (w *answerWriter) copyHalf(r *http.Request, response *http.Response) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	if isStream(r) {
		w.writeHead(response)
		piece := make([]byte, 32<<10)
		n, _ := response.Body.Read(piece) // it is cut anyway
		_, _ = w.Write(piece[:n/2])
		w.flush()
		return
	}
	body, err := readAll(response)
	if err != nil {
		return
	}
	if len(body) == 0 {
		w.halfHead(response)
		return
	}
	w.writeHead(response)
	_, _ = w.Write(body[:len(body)/2])
	w.flush()
}

// halfHead is for answers that have nothing but a head.
func (w *answerWriter) halfHead(response *http.Response) {
	conn, _, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return
	}
	w.status = response.StatusCode
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d", response.StatusCode)
	_ = conn.Close()
}

// readAll reads an answer and puts it back.
func readAll(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// drainBody reads what nobody wants to know, to the end.
func drainBody(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

// drain waits for the end of the answer: then the engine has done what it was
// asked to.
func drain(response *http.Response, cancel context.CancelFunc) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	limit := time.AfterFunc(drainMost, cancel)
	defer limit.Stop()
	_, _ = io.Copy(io.Discard, response.Body)
}

// relay joins the two connections of an upgrade, until both directions have
// ended.
func relay(w *answerWriter, response *http.Response) {
	engine, ok := response.Body.(io.ReadWriteCloser)
	if !ok {
		return
	}
	client, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	defer engine.Close()
	response.Body = nil
	if err := response.Write(client); err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(engine, buffered)
		closeWrite(engine)
	}()
	_, _ = io.Copy(client, engine)
	closeWrite(client)
	// The engine has said its last word: whatever the program still sends
	// reaches nobody.
	_ = client.SetReadDeadline(time.Now())
	<-done
}

func closeWrite(conn any) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

var _ interface{ CloseWrite() error } = (*net.UnixConn)(nil)

func isEvents(r *http.Request) bool { return path.Base(r.URL.Path) == "events" }

// isStream recognises the answers that go on.
func isStream(r *http.Request) bool {
	switch path.Base(r.URL.Path) {
	case "events", "start", "logs", "wait", "attach", "build":
		return r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/containers/") || path.Base(r.URL.Path) != "start"
	}
	return strings.HasSuffix(r.URL.Path, "/images/create")
}

func isCreation(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/containers/create")
}

var anonymousName = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isAnonymous(volume string) bool { return anonymousName.MatchString(volume) }
