package workload

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Image is an image with the test program, as [WriteImages] makes it.
type Image struct {
	// Name is the name with its tag.
	Name string
	// Check says that the image has a healthcheck, which runs the program with the
	// argument "get" each second.
	Check bool
}

// Executable is a static program that [Run]s with the arguments behind Entry.
type Executable struct {
	Content []byte
	// Entry is the command line in the container.
	Entry []string
	// Architecture is the one that it is built for, as GOARCH.
	Architecture string
}

// WriteImages writes a tar file that engines load as images: the program and a
// folder for temporary files, and nothing else. It is in docker's own format,
// which nerdctl and podman know, too.
func WriteImages(w io.Writer, program Executable, images ...Image) error {
	layer, err := program.layer()
	if err != nil {
		return err
	}
	sum := hexSum(layer)
	files := []file{{name: sum + "/layer.tar", content: layer}}
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var index []entry
	for _, image := range images {
		config, err := json.Marshal(program.config(sum, image))
		if err != nil {
			return err
		}
		name := hexSum(config) + ".json"
		files = append(files, file{name: name, content: config})
		index = append(index, entry{Config: name, RepoTags: []string{image.Name}, Layers: []string{sum + "/layer.tar"}})
	}
	manifest, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return writeTar(w, append(files, file{name: "manifest.json", content: manifest})...)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (e Executable) layer() ([]byte, error) {
	var layer bytes.Buffer
	err := writeTar(&layer, file{name: "tmp/", mode: 0o1777}, file{name: e.Entry[0][1:], mode: 0o755, content: e.Content})
	return layer.Bytes(), err
}

func (e Executable) config(layer string, image Image) map[string]any {
	config := map[string]any{"Entrypoint": e.Entry, "Cmd": []string{"serve"}}
	if image.Check {
		config["Healthcheck"] = map[string]any{
			"Test":     append(append([]string{"CMD"}, e.Entry...), "get"),
			"Interval": time.Second, "Timeout": 3 * time.Second, "Retries": 3,
		}
	}
	return map[string]any{
		"architecture": e.Architecture, "os": "linux", "config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layer}},
	}
}

type file struct {
	name    string
	mode    int64
	content []byte
}

func writeTar(w io.Writer, files ...file) error {
	archive := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: max(f.mode, 0o644), Size: int64(len(f.content))}
		if f.name[len(f.name)-1] == '/' {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := archive.Write(f.content); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return archive.Close()
}
