// Command generate writes the generated parts of the documentation again. It is
// run in the folder docs, by `go generate`.
package main

import (
	"bytes"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	for _, page := range pages {
		present, err := os.ReadFile(page.file)
		isNew := page.whole && os.IsNotExist(err)
		if err != nil && !isNew {
			return err
		}
		wanted, err := page.write(present)
		if err != nil {
			return fmt.Errorf("%s: %w", page.file, err)
		}
		if bytes.Equal(present, wanted) {
			continue
		}
		if err := os.WriteFile(page.file, wanted, 0o644); err != nil {
			return err
		}
	}
	return nil
}
