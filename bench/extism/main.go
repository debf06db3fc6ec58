// Command extism is the other side of the comparison of bench's scenario
// wasm-call: it sends documents through a guest of Extism's and back, as often
// as each line of its standard input says, and answers with the nanoseconds that
// one took. It is a module of its own so that nobody else depends on Extism.
//
//	extism GUEST.wasm SIZE
//
// A line "call N" sends N documents through one living plugin, "instance N" each
// through an instance of its own.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return errors.New("usage: extism GUEST.wasm SIZE")
	}
	size, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	ctx := context.Background()
	manifest := extism.Manifest{Wasm: []extism.Wasm{extism.WasmFile{Path: os.Args[1]}}, Timeout: 120_000}
	// As a host has to that doesn't trust its plugins: what never ends is stopped.
	config := extism.PluginConfig{EnableWasi: true, RuntimeConfig: wazero.NewRuntimeConfig().WithCloseOnContextDone(true)}
	compiled, err := extism.NewCompiledPlugin(ctx, manifest, config, nil)
	if err != nil {
		return err
	}
	defer compiled.Close(ctx)
	open := func() (*extism.Plugin, error) { return compiled.Instance(ctx, extism.PluginInstanceConfig{}) }
	living, err := open()
	if err != nil {
		return err
	}
	defer living.Close(ctx)
	document := bytes.Repeat([]byte("x"), size)
	echo := func(plugin *extism.Plugin) error {
		status, back, err := plugin.Call("echo", document)
		if err == nil && (status != 0 || !bytes.Equal(back, document)) {
			err = fmt.Errorf("status %d, %d bytes came back", status, len(back))
		}
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		what, count, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return err
		}
		began := time.Now()
		for range n {
			plugin := living
			if what == "instance" {
				if plugin, err = open(); err != nil {
					return err
				}
			}
			if err := echo(plugin); err != nil {
				return err
			}
			if what == "instance" {
				_ = plugin.Close(ctx)
			}
		}
		fmt.Println(time.Since(began).Nanoseconds() / int64(n))
	}
	return lines.Err()
}
