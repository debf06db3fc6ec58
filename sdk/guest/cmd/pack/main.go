// Command pack puts a manifest into a WASM module:
//
//	go run github.com/lightshuttle/lightshuttle/sdk/guest/cmd/pack manifest.json plugin.wasm
package main

import (
	"fmt"
	"os"

	"github.com/lightshuttle/lightshuttle/sdk/guest/pack"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack MANIFEST.json MODULE.wasm")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(manifestFile, moduleFile string) error {
	manifest, err := os.ReadFile(manifestFile)
	if err != nil {
		return err
	}
	module, err := os.ReadFile(moduleFile)
	if err != nil {
		return err
	}
	packed, err := pack.Manifest(module, manifest)
	if err != nil {
		return fmt.Errorf("%s: %w", moduleFile, err)
	}
	return os.WriteFile(moduleFile, packed, 0o644)
}
