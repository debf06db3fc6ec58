// Package pack puts a manifest into a WASM module that has been built without
// one, as Go's are. Equal inputs give equal bytes.
package pack

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// header begins every core module; a component has another version.
const header = "\x00asm\x01\x00\x00\x00"

// customSection is the id of sections for which the format has no meaning.
const customSection = 0

var errTruncated = errors.New("the module ends within a section: build it again")

// Manifest returns module with manifest as its manifest section, which comes
// last; an older one is replaced. The manifest is checked and written on one
// line.
func Manifest(module, manifest []byte) ([]byte, error) {
	compact, err := check(manifest)
	if err != nil {
		return nil, err
	}
	packed, err := Strip(module)
	if err != nil {
		return nil, err
	}
	content := binary.AppendUvarint(nil, uint64(len(abi.ManifestSection)))
	content = append(content, abi.ManifestSection...)
	content = append(content, compact...)
	packed = append(packed, customSection)
	packed = binary.AppendUvarint(packed, uint64(len(content)))
	return append(packed, content...), nil
}

// Strip returns a copy of module without its manifest.
func Strip(module []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(module, []byte(header))
	if !ok {
		return nil, errors.New("not a core WASM module: build it with GOOS=wasip1 GOARCH=wasm, or --target=wasm32")
	}
	stripped := []byte(header)
	for len(rest) > 0 {
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return nil, errTruncated
		}
		end := 1 + n + int(size)
		if !isManifest(rest[0], rest[1+n:end]) {
			stripped = append(stripped, rest[:end]...)
		}
		rest = rest[end:]
	}
	return stripped, nil
}

func isManifest(id byte, content []byte) bool {
	if id != customSection {
		return false
	}
	length, n := binary.Uvarint(content)
	return n > 0 && length <= uint64(len(content)-n) && string(content[n:n+int(length)]) == abi.ManifestSection
}

// check says what a host would refuse, and returns the manifest on one line.
func check(manifest []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(manifest))
	// Hosts ignore what they don't know; an author wants to hear of a typo.
	decoder.DisallowUnknownFields()
	var m abi.Manifest
	if err := decoder.Decode(&m); err != nil {
		return nil, errors.New("the manifest can't be read: " + err.Error())
	}
	if m.ABI != abi.Version {
		return nil, errors.New("the manifest has to say \"abi\": 1")
	}
	if !isName(m.Name) {
		return nil, errors.New("the manifest's name has to begin with a lower-case letter and go on with lower-case letters, digits and hyphens")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, manifest); err != nil {
		return nil, errors.New("the manifest can't be read: " + err.Error())
	}
	if compact.Len() > abi.MaxManifest {
		return nil, errors.New("the manifest is larger than 64 KiB")
	}
	return compact.Bytes(), nil
}

func isName(name string) bool {
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
