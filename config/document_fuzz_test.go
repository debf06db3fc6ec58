package config

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file says, it gives values of the table or problems, never a panic,
// and every value has its line.
func FuzzDocument(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/problems/*.yaml")
	for _, input := range append(inputs, "testdata/template.yaml") {
		data, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := document{path: "config.yaml"}
		d.read(data)
		for _, v := range d.values {
			if _, known := settingOf(v.setting.Key); !known || v.origin.Line < 1 {
				t.Errorf("%q from line %d", v.setting.Key, v.origin.Line)
			}
		}
		for _, p := range d.problems {
			if p.Message == "" || p.Error() == "" {
				t.Errorf("an empty problem: %+v", p)
			}
		}
	})
}
