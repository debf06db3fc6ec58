package owner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Owner holds the lock of a project until it is released or its process ends,
// in whatever way.
type Owner struct {
	lock *flock.Flock
	path string
	// Killed is what an earlier owner has left that didn't come to release the
	// lock; nil if there is nothing.
	Killed *Info
}

// HeldError says that somebody else owns the project.
type HeldError struct {
	Project string
	// By says who; nil while the new owner has not said so yet.
	By *Info
}

// Error says who owns the project, and since when.
func (e *HeldError) Error() string {
	if e.By == nil {
		return fmt.Sprintf("project %s is in the hands of another lightshuttle", e.Project)
	}
	return fmt.Sprintf("project %s is in the hands of %s", e.Project, e.By)
}

// Take makes this process the owner of the project that info names. When
// there is another, it fails at once with an [*sdk.Error] around a [*HeldError].
func (f Folder) Take(info Info) (*Owner, error) {
	o := &Owner{lock: flock.New(f.lock(info.Project), flock.SetPermissions(0o600)), path: f.info(info.Project)}
	got, err := o.lock.TryLock()
	if err != nil {
		return nil, f.unusable(info.Project, err)
	}
	if !got {
		return nil, f.held(info.Project)
	}
	o.Killed = read(o.path)
	if err := info.ofThisProcess().write(o.path); err != nil {
		return nil, errors.Join(f.unusable(info.Project, err), o.lock.Unlock())
	}
	return o, nil
}

// retry is the time between two tries to get a lock: the system tells nobody
// when a lock is given back.
const retry = 20 * time.Millisecond

// Await is Take, but waits until the project has no owner. waits, if not nil, is
// called for each owner that is waited for.
func (f Folder) Await(ctx context.Context, info Info, waits func(Info)) (*Owner, error) {
	ticker := time.NewTicker(retry)
	defer ticker.Stop()
	told := 0
	for {
		o, err := f.Take(info)
		held, isHeld := errors.AsType[*HeldError](err)
		if !isHeld {
			return o, err
		}
		if held.By != nil && held.By.PID != told && waits != nil {
			told = held.By.PID
			waits(*held.By)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// held says who has the lock. An info of a process that has ended is from
// before: the new owner is about to write its own.
func (f Folder) held(project string) error {
	held := &HeldError{Project: project, By: read(f.info(project))}
	if held.By != nil && !held.By.Alive() {
		held.By = nil
	}
	err := &sdk.Error{Code: sdk.CodeConflict, Err: held, Hint: "wait until it has ended, then try again"}
	if held.By != nil && held.By.Doing == "up" {
		err.Hint = fmt.Sprintf("`lightshuttle down -p %[1]s` stops it, `lightshuttle ps -p %[1]s` shows what runs; another stack needs another project name", project)
	}
	return err
}

func (f Folder) unusable(project string, err error) error {
	e := &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("the lock of project %s: %w", project, err)}
	if errors.Is(err, fs.ErrPermission) {
		e.Hint = fmt.Sprintf("files in %s belong to another user: have them removed, or set XDG_RUNTIME_DIR to a folder of your own", f.path)
	}
	return e
}

// Release gives the project back.
func (o *Owner) Release() error {
	// The lock goes last: who gets it next finds no info, or writes its own.
	err := os.Remove(o.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, o.lock.Unlock())
}
