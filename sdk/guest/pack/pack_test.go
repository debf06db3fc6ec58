package pack

import (
	"bytes"
	"strings"
	"testing"
)

const manifest = `{ "abi": 1, "name": "demo" }`

// aModule has a type section and a custom section that isn't ours.
var aModule = []byte(header + "\x01\x04\x01\x60\x00\x00" + "\x00\x05\x04name")

func TestManifestIsAppendedAndReplaced(t *testing.T) {
	once, err := Manifest(aModule, []byte(`{"abi":1,"name":"older"}`))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Manifest(once, []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Clone(aModule), "\x00\x2d\x15lightshuttle.manifest{\"abi\":1,\"name\":\"demo\"}"...)
	want[len(aModule)+1] = byte(len(want) - len(aModule) - 2)
	if !bytes.Equal(twice, want) {
		t.Errorf("packed = %q\nwant %q", twice, want)
	}
	if stripped, err := Strip(twice); err != nil || !bytes.Equal(stripped, aModule) {
		t.Errorf("Strip = %q, %v, want what it was", stripped, err)
	}
}

func TestManifestRefuses(t *testing.T) {
	tests := []struct {
		name, module, manifest, want string
	}{
		{"text", "#!/bin/sh", manifest, "not a core WASM module"},
		{"a component", "\x00asm\x0d\x00\x01\x00", manifest, "not a core WASM module"},
		{"truncated", string(aModule[:len(aModule)-1]), manifest, "ends within a section"},
		{"truncated size", header + "\x01", manifest, "ends within a section"},
		{"not JSON", string(aModule), "name: demo", "can't be read"},
		{"two documents", string(aModule), manifest + manifest, "can't be read"},
		{"a typo", string(aModule), `{"abi":1,"name":"demo","request":{}}`, `unknown field "request"`},
		{"another ABI", string(aModule), `{"abi":2,"name":"demo"}`, `"abi": 1`},
		{"no name", string(aModule), `{"abi":1}`, "name has to begin"},
		{"a path as name", string(aModule), `{"abi":1,"name":"../x"}`, "name has to begin"},
		{"too large", string(aModule), `{"abi":1,"name":"demo","description":"` + strings.Repeat("x", 70000) + `"}`, "larger than 64 KiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Manifest([]byte(test.module), []byte(test.manifest)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}

func FuzzStrip(f *testing.F) {
	f.Add(aModule)
	packed, err := Manifest(aModule, []byte(manifest))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, module []byte) {
		stripped, err := Strip(module)
		if err != nil {
			return
		}
		if again, err := Strip(stripped); err != nil || !bytes.Equal(again, stripped) {
			t.Fatalf("stripping %q again gives %q, %v", stripped, again, err)
		}
	})
}
