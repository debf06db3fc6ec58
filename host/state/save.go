package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Needed says whether something that was not saved yet would be missed: a
// password, say, that the data of a container is going to know. The rest is for
// people, and may be lost where the folder can't be written to.
func (s *Store) Needed() bool { return s.needed && len(s.changed) > 0 }

const (
	lockName = "state.lock"
	// lockTimeout is far more than anybody needs to write the file.
	lockTimeout = 10 * time.Second
	lockRetry   = 10 * time.Millisecond
)

// Save writes what has changed, if anything has: as a whole or not at all,
// readable by its owner alone. The file is read again first, since another
// process may have written to its other projects. After an error, a later Save
// tries again.
func (s *Store) Save() error {
	if len(s.changed) == 0 {
		return nil
	}
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s.unwritable(err)
	}
	if err := ignoreInGit(dir); err != nil {
		return s.unwritable(err)
	}
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return s.unwritable(fmt.Errorf("lock %s: %w", lockName, err))
	}
	return errors.Join(s.saveLocked(), lock.Unlock())
}

func (s *Store) saveLocked() error {
	newest, err := s.newest()
	if err != nil {
		return err
	}
	for name := range s.changed {
		if newest.Projects == nil {
			newest.Projects = map[string]*project{}
		}
		newest.Projects[name] = s.state.Projects[name]
		if newest.Projects[name] == nil {
			delete(newest.Projects, name)
		}
	}
	data, err := json.MarshalIndent(newest, "", "  ")
	if err != nil {
		return s.unwritable(err)
	}
	if err := s.write(s.path, append(data, '\n')); err != nil {
		return s.unwritable(err)
	}
	s.state = newest
	s.needed = false
	clear(s.changed)
	return nil
}

// newest is what the file says now. One that is damaged is put aside.
func (s *Store) newest() (form, error) {
	if !s.damaged {
		return read(s.path)
	}
	err := os.Rename(s.path, s.path+".damaged-"+now())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return form{}, s.unwritable(err)
	}
	s.damaged = false
	return form{}, nil
}

func writeFile(path string, data []byte) error {
	return renameio.WriteFile(path, data, 0o600, renameio.WithStaticPermissions(0o600))
}

// unwritable is the error of a write, with what to do about it.
func (s *Store) unwritable(err error) error {
	e := &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("write the state of the project: %w", err)}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Hint = "make room on the disk of " + filepath.Dir(s.path)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		e.Hint = "what is generated for the project has to be kept beside its manifest: make that folder writable, or set the passwords and ports in the manifest"
	case errors.Is(err, context.DeadlineExceeded):
		e.Hint = "another process writes to it and doesn't end; see which one has it open"
	}
	return e
}

func unreadable(path string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &sdk.Error{
		Code: sdk.CodeInvalid, Err: fmt.Errorf("state of earlier runs: %w", err),
		Hint: "make " + path + " readable for you alone: it has the generated passwords",
	}
}

// ignoreInGit makes the folder ignore itself, but for the project's settings,
// which belong into the repository.
func ignoreInGit(dir string) error {
	path := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return writeFile(path, []byte("*\n!config.yaml\n"))
}
