package wasm

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

// The cache of compiled modules. Each has a folder of its own, so that one that
// is damaged, or that nobody uses, can be removed alone:
//
//	CacheDir/<version of the engine>/<sha256 of the hardened module>/
const (
	cacheBytes = 512 << 20 // of all compiled modules
	// damaged is in each error that the engine has about a file of its cache.
	damaged = "compilationcache:"
)

// withCache builds with a cache, and once more when what is in it is damaged.
func (p *Plugin) withCache(code []byte, build func(wazero.CompilationCache) error) error {
	dir, err := p.cacheDir(code)
	if err != nil {
		p.logger.Warn("compiled plugins aren't kept", "reason", err.Error())
	}
	if dir == "" {
		return build(nil)
	}
	err = p.buildIn(dir, build)
	if err != nil && strings.Contains(err.Error(), damaged) {
		p.logger.Warn("the compiled plugin was damaged, so it is compiled again", "folder", dir)
		p.free()
		if err := os.RemoveAll(dir); err != nil {
			return build(nil)
		}
		err = p.buildIn(dir, build)
	}
	if err == nil {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // only the order of removal depends on it
		prune(filepath.Dir(dir), filepath.Base(dir), cacheBytes)
	}
	return err
}

func (p *Plugin) buildIn(dir string, build func(wazero.CompilationCache) error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return build(nil)
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return build(nil)
	}
	return build(cache)
}

// cacheDir is the folder for the module, or empty without a cache.
func (p *Plugin) cacheDir(code []byte) (string, error) {
	root := p.options.CacheDir
	if root == "" {
		return "", nil
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	if err := private(root); err != nil {
		return "", err
	}
	removeOthers(root, engineVersion)
	sum := sha256.Sum256(code)
	return filepath.Join(root, engineVersion, hex.EncodeToString(sum[:])), nil
}

// private says why a folder isn't ours alone: what is in it is run.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	case !owned(info):
		return fmt.Errorf("%s belongs to somebody else", dir)
	case writableByOthers(info):
		return fmt.Errorf("others may write to %s: chmod 700 it", dir)
	}
	return nil
}

// engineVersion changes with what is in the cache.
var engineVersion = func() string {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == "github.com/tetratelabs/wazero" {
				version = dependency.Version
			}
		}
	}
	return "wazero-" + version
}()

// removeOthers removes what other versions have left.
func removeOthers(root, keep string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != keep && strings.HasPrefix(entry.Name(), "wazero-") {
			_ = os.RemoveAll(filepath.Join(root, entry.Name())) // it is tried again next time
		}
	}
}

// prune removes the modules that weren't used for longest, until the rest fits.
func prune(dir, keep string, most int64) {
	type module struct {
		name string
		used time.Time
		size int64
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var all []module
	var total int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue
		}
		m := module{entry.Name(), info.ModTime(), sizeOf(filepath.Join(dir, entry.Name()))}
		total += m.size
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name)) })
	for _, m := range all {
		if total <= most {
			return
		}
		if m.name == keep {
			continue
		}
		if os.RemoveAll(filepath.Join(dir, m.name)) == nil {
			total -= m.size
		}
	}
}

func sizeOf(dir string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what has gone meanwhile has no size
		}
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total
}
