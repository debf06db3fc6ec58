package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyWhatCanNotComeBackLosesItsNetworks(t *testing.T) {
	for name, test := range map[string]struct {
		log  string
		lost bool
	}{
		"another end":    {"failed to start daemon: no space left on device", false},
		"half a network": {"panic: runtime error\n" + halfANetwork + "(0x5629d04b5e70?)", true},
	} {
		t.Run(name, func(t *testing.T) {
			d := &daemon{dir: t.TempDir()}
			store := d.path("data/network/files/local-kv.db")
			if err := os.MkdirAll(filepath.Dir(store), 0o700); err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{store: "networks", d.path("dockerd.log"): test.log} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.forgetNetworks(); err != nil {
				t.Fatal(err)
			}
			_, err := os.Stat(store)
			if lost := os.IsNotExist(err); lost != test.lost || (d.networksLost.Load() == 1) != test.lost {
				t.Errorf("the store is lost: %t, counted %d; want %t", lost, d.networksLost.Load(), test.lost)
			}
		})
	}
}
