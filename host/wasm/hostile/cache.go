package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/trust"
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// cacheAttacks are on what is compiled already, which is run as it is.
var cacheAttacks = []Attack{
	cached("cut off", eachFile(func(path string) error { return os.Truncate(path, 20) })),
	cached("emptied", eachFile(func(path string) error { return os.Truncate(path, 0) })),
	cached("changed in the middle", eachFile(func(path string) error { return change(path, 2) })),
	cached("changed at the beginning", eachFile(func(path string) error { return change(path, 100) })),
	cached("made longer", eachFile(func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, append(data, data...), 0o600)
	})),
	cached("replaced by folders", eachFile(func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Mkdir(path, 0o700)
	})),
	foreign("that others may write to", func(s *stage) error { return os.Chmod(s.path("cache"), 0o777) }, "others may write"),
	foreign("that is a link", func(s *stage) error {
		return errors.Join(os.Rename(s.path("cache"), s.path("elsewhere")), os.Symlink(s.path("elsewhere"), s.path("cache")))
	}, "is no folder"),
	foreign("that is a file", func(s *stage) error {
		return errors.Join(os.Remove(s.path("cache")), os.WriteFile(s.path("cache"), nil, 0o600))
	}, "aren't kept"),
}

// eachFile changes each file in a folder.
func eachFile(damage func(path string) error) func(dir string) error {
	return func(dir string) error {
		damaged := 0
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			damaged++
			return damage(path)
		})
		if err == nil && damaged == 0 {
			err = errors.New("there is nothing in the cache")
		}
		return err
	}
}

// change changes a byte, at the length divided by part.
func change(path string, part int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)/part] ^= 0xff
	return os.WriteFile(path, data, 0o600)
}

// cached is an attack on the cache of a plugin that was opened before.
func cached(name string, damage func(dir string) error) Attack {
	return Attack{
		Group: "cache damage", Name: name, loads: true, binary: honest,
		before: func(s *stage) error {
			r, err := wasm.Open(context.Background(), honest(), wasm.Options{CacheDir: s.path("cache")})
			if err != nil {
				return err
			}
			return errors.Join(r.Close(), damage(s.path("cache")))
		},
		open: openCached,
	}
}

func openCached(ctx context.Context, s *stage, binary []byte, options wasm.Options) (wasm.Runtime, error) {
	options.CacheDir = s.path("cache")
	return wasm.Open(ctx, binary, options)
}

// foreign is an attack by a cache that isn't the user's alone: nothing in it is
// used, and nothing put there.
func foreign(name string, give func(s *stage) error, says string) Attack {
	return Attack{
		Group: "cache of others", Name: name, loads: true, binary: honest, open: openCached,
		before: func(s *stage) error { return errors.Join(os.Mkdir(s.path("cache"), 0o700), give(s)) },
		after: func(s *stage, _ error) error {
			if entries, err := os.ReadDir(s.path("cache")); err == nil && len(entries) > 0 {
				return fmt.Errorf("the cache holds %v", entries)
			}
			if !strings.Contains(s.logged.String(), says) {
				return fmt.Errorf("the log doesn't say %q: %s", says, s.logged.String())
			}
			return nil
		},
	}
}

// trusted is an attack on a plugin that the user trusts.
func trusted(name string, kind wasm.Kind, code sdk.Code, says string, swap func(file string) error) Attack {
	return Attack{
		Group: "trust", Name: name, kind: kind, code: code, says: says, loads: true, binary: honest,
		before: func(s *stage) error {
			if err := os.WriteFile(s.path("plugin.wasm"), honest(), 0o600); err != nil {
				return err
			}
			list, err := trust.Load(s.path("settings"))
			if err != nil {
				return err
			}
			plugin, _, err := trust.Ask(s.path("plugin.wasm"), trust.Choices{})
			if err != nil {
				return err
			}
			return errors.Join(list.Put(plugin), swap(s.path("plugin.wasm")))
		},
		open: func(ctx context.Context, s *stage, _ []byte, options wasm.Options) (wasm.Runtime, error) {
			list, err := trust.Load(s.path("settings"))
			if err != nil {
				return nil, err
			}
			return list.OpenFile(ctx, s.path("plugin.wasm"), options)
		},
	}
}

var trustAttacks = []Attack{
	trusted("the file as it was", "", "", "", func(string) error { return nil }),
	trusted("one byte of the file changed", refused, sdk.CodeDenied, "has changed since it was trusted", func(file string) error {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		// The id in its answer: the module stays valid.
		return os.WriteFile(file, bytes.Replace(data, []byte(`"c1"`), []byte(`"c2"`), 1), 0o600)
	}),
	trusted("something added to the file", refused, sdk.CodeDenied, "has changed since it was trusted", func(file string) error {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, append(data, wasmtest.Section(0, []byte("\x01x"))...), 0o600)
	}),
	trusted("another module in its place", refused, sdk.CodeDenied, "has changed since it was trusted", func(file string) error {
		return os.WriteFile(file, Attack{requests: everything}.Binary(), 0o600)
	}),
	trusted("a link to another module in its place", refused, sdk.CodeDenied, "has changed since it was trusted", func(file string) error {
		other := filepath.Join(filepath.Dir(file), "other.wasm")
		return errors.Join(os.WriteFile(other, Attack{requests: everything}.Binary(), 0o600), os.Remove(file), os.Symlink(other, file))
	}),
	trusted("no module any more", refused, sdk.CodeInvalid, "text file", func(file string) error { return os.WriteFile(file, []byte("#!/bin/sh\n"), 0o600) }),
	trusted("moved to where nobody trusts it", refused, sdk.CodeDenied, "isn't trusted", func(file string) error {
		// The list knows another path.
		settings := filepath.Join(filepath.Dir(file), "settings", trust.FileName)
		data, err := os.ReadFile(settings)
		if err != nil {
			return err
		}
		return os.WriteFile(settings, bytes.ReplaceAll(data, []byte("plugin.wasm"), []byte("elsewhere.wasm")), 0o600)
	}),
}
