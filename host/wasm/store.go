package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// store is the small memory of a plugin: its operations run in instances of
// their own, and forget. Several programs may use it at the same time.
type store struct {
	path  string // empty: in memory only
	limit int

	mu     sync.Mutex
	values map[string][]byte
	seen   os.FileInfo
}

const (
	longestKey = 1024
	lockEvery  = 5 * time.Millisecond
)

func openStore(path string, limit int) *store {
	return &store{path: path, limit: limit, values: map[string][]byte{}}
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// fileName is a name for a folder: the name itself where it is plain, so that
// no name can lead out of the folder.
func fileName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "~" + hex.EncodeToString(sum[:8])
}

func (s *store) get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return nil, err
	}
	value, there := s.values[key]
	if !there {
		return nil, sdk.Errorf(sdk.CodeNotFound, "", "there is no key %q", clip(key))
	}
	return value, nil
}

func (s *store) list(prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return nil, err
	}
	keys := []string{}
	for key := range s.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// set stores a value; nil deletes the key.
func (s *store) set(ctx context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.load(); err != nil {
		return err
	}
	old, there := s.values[key]
	if value == nil && !there {
		return nil
	}
	if value == nil {
		delete(s.values, key)
	} else {
		s.values[key] = value
	}
	if s.size() > s.limit && value != nil {
		err = &limitError{fmt.Sprintf("the store is full: it holds %d bytes at most", s.limit)}
	} else {
		err = s.save()
	}
	if err == nil {
		return nil
	}
	delete(s.values, key)
	if there {
		s.values[key] = old
	}
	return err
}

func (s *store) size() int {
	n := 0
	for key, value := range s.values {
		n += len(key) + len(value)
	}
	return n
}

// lock keeps other programs out while a value is changed.
func (s *store) lock(ctx context.Context) (func(), error) {
	if s.path == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, fmt.Errorf("the plugin's store: %w", err)
	}
	lock := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockEvery); err != nil {
		return nil, fmt.Errorf("the plugin's store: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// load reads the file, if it isn't the one that was read last.
func (s *store) load() error {
	if s.path == "" {
		return nil
	}
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		s.values, s.seen = map[string][]byte{}, nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("the plugin's store: %w", err)
	}
	if s.seen != nil && os.SameFile(info, s.seen) && info.ModTime().Equal(s.seen.ModTime()) && info.Size() == s.seen.Size() {
		return nil
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("the plugin's store: %w", err)
	}
	values := map[string][]byte{}
	if err := json.Unmarshal(data, &values); err != nil {
		return because(sdk.CodeInternal, "move it away, which makes the plugin forget what it has started", "the plugin's store %s is damaged: %w", s.path, err)
	}
	s.values, s.seen = values, info
	return nil
}

func (s *store) save() error {
	if s.path == "" {
		return nil
	}
	data, err := json.Marshal(s.values)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(s.path, data, 0o600); err != nil {
		return fmt.Errorf("the plugin's store: %w", err)
	}
	s.seen, err = os.Stat(s.path)
	return err
}
