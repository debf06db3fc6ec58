package module

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// offered are the functions that this host has, by module and name.
var offered = func() map[string]map[string]signature {
	all := map[string]map[string]signature{abi.ModuleWASI: {}}
	for name, text := range wasi {
		params, results, _ := strings.Cut(text, ":")
		all[abi.ModuleWASI][name] = signature{wasiTypes(params), wasiTypes(results)}
	}
	for _, f := range abi.Functions() {
		if all[f.Module] == nil {
			all[f.Module] = map[string]signature{}
		}
		all[f.Module][f.Name] = signature{abiTypes(f.Params), abiTypes(f.Results)}
	}
	return all
}()

func wasiTypes(text string) []byte {
	list := make([]byte, len(text))
	for i := range text {
		list[i] = typeI32
		if text[i] == 'I' {
			list[i] = typeI64
		}
	}
	return list
}

func abiTypes(list []abi.Type) []byte {
	out := make([]byte, len(list))
	for i, t := range list {
		out[i] = byte(t)
	}
	return out
}

var (
	typeOfOperation = signature{results: []byte{typeI32}}
	typeOfMarker    = signature{}
)

// operations are the exports that show an ability.
var operations = func() map[abi.Operation]bool {
	all := map[abi.Operation]bool{}
	for _, ability := range abi.Abilities() {
		for _, operation := range ability.Operations {
			all[operation] = true
		}
	}
	return all
}()

// checkImports compares what the module needs with what there is.
func (b *parsed) checkImports(manifest *abi.Manifest) error {
	for _, entry := range b.imports {
		functions, known := offered[entry.module]
		if !known {
			return unknownModule(entry.module, entry.name)
		}
		want, known := functions[entry.name]
		full := entry.module + "." + entry.name
		switch {
		case !known && entry.module == abi.ModuleWASI:
			return refused("build it for WASI preview 1", "the module imports %s, which WASI preview 1 doesn't have", full)
		case !known:
			return refused("use a newer LightShuttle, or correct the name", "the module needs %s: it imports %s; this host has ABI %d.%d", neededVersion(manifest), full, abi.Version, abi.Minor)
		case !want.equal(entry.signature):
			return refused("see docs/abi.md for the types of the host's functions", "the module imports %s with type %s, but it has type %s", full, entry.signature, want)
		}
	}
	return nil
}

// neededVersion is the version of the ABI that the module asks for, as far as
// it says so.
func neededVersion(manifest *abi.Manifest) string {
	if manifest != nil && manifest.ABI == abi.Version && manifest.ABIMinor > abi.Minor {
		return fmt.Sprintf("host ABI >= %d.%d", abi.Version, manifest.ABIMinor)
	}
	return fmt.Sprintf("a host ABI newer than %d.%d", abi.Version, abi.Minor)
}

func unknownModule(module, name string) error {
	for known := range offered {
		family := strings.TrimSuffix(known, "1")
		if known != abi.ModuleWASI && strings.HasPrefix(module, family) && strings.TrimLeft(module[len(family):], "0123456789") == "" {
			return refused("use a newer LightShuttle, or build the module for ABI 1", "the module was built for ABI %s (it imports %s.%s); this host has ABI %d", module[len(family):], module, name, abi.Version)
		}
	}
	hint := "a plugin may import from " + strings.Join(slices.Sorted(sortedKeys(offered)), ", ")
	if strings.HasPrefix(module, "wasi:") || strings.Contains(module, "wasi_unstable") {
		hint = "build it for WASI preview 1"
	}
	if module == "env" || module == "gojs" || module == "go" {
		hint = "build it for WASI (in Go GOOS=wasip1, in C without undefined functions); " + hint
	}
	return refused(hint, "the module imports %s.%s, and there is no module %s", module, name, module)
}

func sortedKeys(m map[string]map[string]signature) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// checkExports finds the marker, the memory and the operations, and returns the
// names of the operations in the order of the contract.
func (b *parsed) checkExports() ([]abi.Operation, error) {
	found := map[abi.Operation]bool{}
	var marker, memory bool
	var otherVersion string
	for _, entry := range b.exports {
		want, named := signature{}, true
		switch {
		case entry.name == abi.Memory:
			memory = entry.kind == kindMemory
			continue
		case entry.name == abi.Marker, entry.name == abi.Initialize:
			want = typeOfMarker
		case operations[abi.Operation(entry.name)]:
			want = typeOfOperation
		case strings.HasPrefix(entry.name, abi.MarkerPrefix):
			otherVersion = strings.TrimPrefix(entry.name, abi.MarkerPrefix)
			continue
		default:
			named = false
		}
		if !named {
			continue
		}
		if err := b.checkExport(entry, want); err != nil {
			return nil, err
		}
		marker = marker || entry.name == abi.Marker
		if operations[abi.Operation(entry.name)] {
			found[abi.Operation(entry.name)] = true
		}
	}
	switch {
	case !marker && otherVersion != "":
		return nil, refused("use a newer LightShuttle, or build the module for ABI 1", "the module speaks ABI %s; this host has ABI %d", otherVersion, abi.Version)
	case !marker:
		return nil, b.noMarker()
	case !memory:
		return nil, refused("export the memory under the name "+abi.Memory, "the module exports no memory, so the host can't give it anything")
	}
	return b.checkAbilities(found)
}

func (b *parsed) checkExport(entry exportEntry, want signature) error {
	if entry.kind != kindFunction {
		return refused("", "export %s is a %s, want a function of type %s", entry.name, kindName(entry.kind), want)
	}
	got, ok := b.signatureOf(entry.index)
	if !ok {
		return malformed("export %s is function %d, which isn't there", entry.name, entry.index)
	}
	if !got.equal(want) {
		return refused("an operation takes nothing and returns its status: func() int32", "export %s has type %s, want %s", entry.name, got, want)
	}
	return nil
}

func (b *parsed) noMarker() error {
	for _, entry := range b.exports {
		if entry.name == "_start" {
			return refused(hintGo+", and exports "+abi.Marker, "this is a WASM program, not a plugin: it exports _start and no %s", abi.Marker)
		}
	}
	return refused("a plugin exports "+abi.Marker+", see docs/abi.md", "this is a WASM module, but not a plugin: it doesn't export %s", abi.Marker)
}

// checkAbilities finds groups of operations of which a part is missing.
func (b *parsed) checkAbilities(found map[abi.Operation]bool) ([]abi.Operation, error) {
	var list []abi.Operation
	for _, ability := range abi.Abilities() {
		var missing []string
		for _, operation := range ability.Operations {
			if found[operation] {
				list = append(list, operation)
				continue
			}
			if operation == abi.WaitHealthy && found[abi.Inspect] {
				continue
			}
			missing = append(missing, string(operation))
		}
		switch {
		case len(missing) == 0 || len(missing) == len(ability.Operations) && ability.Name != "run":
		case slices.Contains(missing, string(abi.WaitHealthy)):
			missing[len(missing)-1] += " (or " + string(abi.Inspect) + ")"
			fallthrough
		default:
			return nil, refused("see docs/abi.md for what makes a runtime", "the ability %q isn't complete: the module doesn't export %s", ability.Name, strings.Join(missing, ", "))
		}
	}
	return list, nil
}
