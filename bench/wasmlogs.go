package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/plugins/docker"
	"github.com/lightshuttle/lightshuttle/plugins/nerdctl"
	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// asPlugin is a runtime as a plugin, and asBuiltIn the same one built in.
	asPlugin  = "plugin"
	asBuiltIn = "built in"

	// logLines is how many lines a log has, each of logLine bytes.
	logLines = 200_000
	logLine  = 100
)

// wasmLogs reads the same log through a plugin and through the runtime that is
// built in: of an engine's API, which a server of our own speaks, and of an
// engine's command, which a script plays. So it is the way that is measured, and
// not the engine.
func wasmLogs(ctx context.Context, h *harness) error {
	byAPI, closeAPI, err := h.logsByAPI(ctx)
	if err != nil {
		return err
	}
	defer closeAPI()
	byCommand, closeCommand, err := h.logsByCommand(ctx)
	if err != nil {
		return err
	}
	defer closeCommand()
	for _, way := range []struct {
		name    string
		readers map[string]sdk.Logger
		// most is the time of the plugin through that of the other: half the
		// throughput is twice the time.
		most float64
	}{{"of an API", byAPI, 2}, {"of a command", byCommand, 2}} {
		took := figures{}
		for round := range h.runs + 1 {
			for _, who := range []string{asPlugin, asBuiltIn} {
				one, err := timeLog(ctx, way.readers[who])
				if err != nil {
					return fmt.Errorf("%s, %s: %w", way.name, who, err)
				}
				if round > 0 {
					took.add(who, milliseconds(one))
				}
			}
		}
		h.report.addOf("a log of 20 MB, "+way.name, "ms", took, asPlugin, asBuiltIn)
		h.report.compare("a log "+way.name+": time through a plugin ÷ built in", took[asPlugin], took[asBuiltIn], way.most)
	}
	return nil
}

func timeLog(ctx context.Context, r sdk.Logger) (time.Duration, error) {
	began := time.Now()
	size := 0
	err := r.Logs(ctx, "c1", sdk.LogOptions{Tail: -1}, func(entry sdk.LogEntry) error {
		size += len(entry.Data)
		return nil
	})
	if err == nil && size != logLines*logLine {
		err = fmt.Errorf("%d bytes arrived, want %d", size, logLines*logLine)
	}
	return time.Since(began), err
}

// stamped is the log with the times that engines put in front of lines.
func stamped(write func(line string)) {
	line := strings.Repeat("x", logLine-1) + "\n"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range logLines {
		write(at.Add(time.Duration(i)*time.Microsecond).Format("2006-01-02T15:04:05.000000000Z07:00") + " " + line)
	}
}

// logsByAPI are the readers of a server that speaks as much of Docker's API as a
// log needs.
func (h *harness) logsByAPI(ctx context.Context) (map[string]sdk.Logger, func(), error) {
	var log []byte
	stamped(func(line string) {
		log = append(log, 1, 0, 0, 0)
		log = binary.BigEndian.AppendUint32(log, uint32(len(line)))
		log = append(log, line...)
	})
	socket := filepath.Join(h.dir, "logs.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.43")
		switch {
		case strings.HasSuffix(r.URL.Path, "/logs"):
			w.Header().Set("Content-Type", "application/vnd.docker.multiplexed-stream")
			_, _ = w.Write(log)
		case strings.HasSuffix(r.URL.Path, "/version"):
			_, _ = io.WriteString(w, `{"Version":"24.0.0","ApiVersion":"1.43","MinAPIVersion":"1.12"}`)
		case strings.HasSuffix(r.URL.Path, "/json"):
			_, _ = io.WriteString(w, `{"Id":"c1","Name":"/c1","State":{"Status":"running","Running":true},"Config":{"Tty":false,"Labels":{}},"HostConfig":{},"NetworkSettings":{}}`)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	binary, err := h.wasmModule(ctx, filepath.Join("wasm-examples", "engine-http"))
	if err != nil {
		return nil, nil, errors.Join(err, server.Close())
	}
	plugin, err := wasm.Open(ctx, binary, wasm.Options{
		Grants: wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: "unix://" + socket}}}, Limits: wasm.Limits{Compile: longestTurn},
	})
	if err != nil {
		return nil, nil, errors.Join(err, server.Close())
	}
	builtIn, err := docker.Open(docker.Options{Host: "unix://" + socket})
	if err != nil {
		return nil, nil, errors.Join(err, plugin.Close(), server.Close())
	}
	return map[string]sdk.Logger{asPlugin: plugin.(sdk.Logger), asBuiltIn: builtIn}, func() {
		_ = builtIn.Close()
		_ = plugin.Close()
		_ = server.Close()
	}, nil
}

// logsByCommand are the readers of a script that prints the log.
func (h *harness) logsByCommand(ctx context.Context) (map[string]sdk.Logger, func(), error) {
	file, err := os.Create(filepath.Join(h.dir, "log"))
	if err != nil {
		return nil, nil, err
	}
	writer := bufio.NewWriter(file)
	stamped(func(line string) { _, _ = writer.WriteString(line) })
	if err := errors.Join(writer.Flush(), file.Close()); err != nil {
		return nil, nil, err
	}
	script := filepath.Join(h.dir, "logs.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec cat "+file.Name()+"\n"), 0o700); err != nil {
		return nil, nil, err
	}
	binary, err := h.wasmModule(ctx, filepath.Join("wasm-examples", "nerdctl"))
	if err != nil {
		return nil, nil, err
	}
	plugin, err := wasm.Open(ctx, binary, wasm.Options{
		Grants: wasm.Grants{Exec: []wasm.ExecGrant{{Program: "nerdctl", Path: script}}}, Limits: wasm.Limits{Compile: longestTurn},
	})
	if err != nil {
		return nil, nil, err
	}
	here := machine.New(machine.Options{})
	builtIn, err := nerdctl.Open(nerdctl.Options{Program: script, Dialect: "nerdctl", Host: here})
	if err != nil {
		return nil, nil, errors.Join(err, plugin.Close())
	}
	return map[string]sdk.Logger{asPlugin: plugin.(sdk.Logger), asBuiltIn: builtIn}, func() {
		_ = builtIn.Close()
		_ = here.Close()
		_ = plugin.Close()
	}, nil
}
