package module

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Level is how much of a runtime a module is.
type Level string

// The levels; each has what those before it have.
const (
	// LevelCore can start and stop.
	LevelCore Level = "core"
	// LevelManaged can also look, list, remove and show logs, and has networks.
	LevelManaged Level = "managed"
	// LevelFull can also exec, prepare images, tell events, and has volumes.
	LevelFull Level = "full"
)

var (
	managed = []abi.Operation{abi.Inspect, abi.List, abi.Remove, abi.Logs, abi.NetworkEnsure}
	full    = []abi.Operation{abi.Exec, abi.Prepare, abi.Events, abi.VolumeEnsure}
)

// Import is a function that a module needs.
type Import struct {
	Module string `json:"module"`
	Name   string `json:"name"`
}

// Report is all that can be known of a module without running it.
type Report struct {
	// SHA256 is that of the whole file, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Size is that of the file, in bytes.
	Size     int          `json:"size"`
	Manifest abi.Manifest `json:"manifest"`
	Level    Level        `json:"level"`
	// Operations are the exports that show abilities, Abilities their groups.
	Operations []abi.Operation `json:"operations"`
	Abilities  []string        `json:"abilities"`
	Imports    []Import        `json:"imports"`
	// Initializes says that it exports _initialize.
	Initializes bool  `json:"initializes"`
	Sizes       Sizes `json:"sizes"`
}

// Sizes are the sizes of a module's parts.
type Sizes struct {
	Functions   int `json:"functions"`
	CodeBytes   int `json:"code_bytes"`
	MemoryPages int `json:"memory_pages"`
	Table       int `json:"table"`
	Data        int `json:"data_segments"`
	Globals     int `json:"globals"`
}

// Can says whether the module exports the operation.
func (r *Report) Can(operation abi.Operation) bool { return slices.Contains(r.Operations, operation) }

// Needs says whether the module imports from the host's module.
func (r *Report) Needs(module string) bool {
	return slices.ContainsFunc(r.Imports, func(i Import) bool { return i.Module == module })
}

// Has says whether the module has the ability of that name.
func (r *Report) Has(ability string) bool { return slices.Contains(r.Abilities, ability) }

// ReadFile reads a module's file, of at most MaxSize bytes.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, refused("name the .wasm file in it", "%s is a folder, not a WASM module", path)
	}
	if !info.Mode().IsRegular() {
		return nil, refused("name a regular file", "%s is no regular file", path)
	}
	if info.Size() > MaxSize {
		return nil, refused(hintTooMuch, "the file has %d MiB, more than the %d MiB that are allowed", info.Size()>>20, MaxSize>>20)
	}
	return os.ReadFile(path)
}

// Inspect reads a module, and refuses with an [*Error] one that isn't a plugin
// or isn't fit to be compiled.
func Inspect(data []byte) (*Report, error) {
	report, _, err := inspect(data)
	return report, err
}

// Prepare is [Inspect] and [Harden] in one pass. Beside that it tells what of the
// module's instances can be gone on with.
func Prepare(data []byte) (*Prepared, error) {
	report, b, err := inspect(data)
	if err != nil {
		return nil, err
	}
	code, state := b.split(b.harden(data))
	return &Prepared{Report: report, Code: code, State: state}, nil
}

func inspect(data []byte) (*Report, *parsed, error) {
	b, err := parse(data)
	if err != nil {
		return nil, nil, err
	}
	found, err := b.checkExports()
	if err != nil {
		return nil, nil, err
	}
	manifest, err := b.manifest()
	if err != nil {
		return nil, nil, err
	}
	if err := b.checkImports(manifest); err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(data)
	report := &Report{
		SHA256: hex.EncodeToString(sum[:]), Size: len(data), Manifest: *manifest, Operations: found, Abilities: abilitiesOf(found),
		Sizes: Sizes{Functions: len(b.functions), CodeBytes: b.codeBytes, Table: b.tables, Data: b.data, Globals: b.globals},
	}
	for _, pages := range b.memories {
		report.Sizes.MemoryPages += int(pages)
	}
	for _, entry := range b.imports {
		report.Imports = append(report.Imports, Import{entry.module, entry.name})
	}
	report.Initializes = slices.ContainsFunc(b.exports, func(e exportEntry) bool { return e.name == abi.Initialize })
	report.Level = levelOf(found)
	return report, b, nil
}

func (b *parsed) manifest() (*abi.Manifest, error) {
	switch len(b.manifests) {
	case 0:
		return nil, refused(hintManifest, "the module has no manifest (no custom section %s)", abi.ManifestSection)
	case 1:
		return ReadManifest(b.manifests[0])
	}
	return nil, refused("leave one", "the module has %d manifests", len(b.manifests))
}

func abilitiesOf(found []abi.Operation) []string {
	var names []string
	for _, ability := range abi.Abilities() {
		if slices.Contains(found, ability.Operations[0]) {
			names = append(names, ability.Name)
		}
	}
	return names
}

func levelOf(found []abi.Operation) Level {
	has := func(wanted []abi.Operation) bool {
		return !slices.ContainsFunc(wanted, func(o abi.Operation) bool { return !slices.Contains(found, o) })
	}
	switch {
	case has(managed) && has(full):
		return LevelFull
	case has(managed):
		return LevelManaged
	}
	return LevelCore
}

// Missing names what the module lacks for the next level up; it is empty for
// LevelFull.
func (r *Report) Missing() []abi.Operation {
	var missing []abi.Operation
	wanted := managed
	if r.Level == LevelManaged {
		wanted = full
	}
	for _, operation := range wanted {
		if r.Level != LevelFull && !r.Can(operation) {
			missing = append(missing, operation)
		}
	}
	return missing
}

// Short is the beginning of a checksum, for people.
func Short(sha string) string { return fmt.Sprintf("%.12s", sha) }
