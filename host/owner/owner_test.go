package owner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func open(t *testing.T) Folder {
	t.Helper()
	folder, err := Open()
	must(t, err)
	return folder
}

var shop = Info{Project: "shop", Doing: "up", Manifest: "/shop/lightshuttle.yml", Version: "1.2", Runtime: "docker"}

func TestL15TheSecondOwnerIsRefusedAndToldWhoTheFirstIs(t *testing.T) {
	runtimeFolder(t)
	other, letGo := anotherOwner(t, "shop")
	_, err := open(t).Take(shop)
	held, ok := errors.AsType[*HeldError](err)
	if !ok || held.By == nil || held.By.PID != other.Process.Pid {
		t.Fatalf("Take() = %v, want to hear of pid %d", err, other.Process.Pid)
	}
	for _, want := range []string{"project shop", "`up`", "pid " + strconv.Itoa(other.Process.Pid), "since " + held.By.Since.Local().Format(time.DateTime), "/shop/lightshuttle.yml"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Take() = %v\nwant it to say %q", err, want)
		}
	}
	if typed, ok := errors.AsType[*sdk.Error](err); !ok || typed.Code != sdk.CodeConflict || !strings.Contains(typed.Hint, "lightshuttle down -p shop") {
		t.Errorf("Take() = %#v, want a conflict with a hint", err)
	}
	// Another project is another matter.
	o, err := open(t).Take(Info{Project: "other", Doing: "up"})
	must(t, err)
	must(t, o.Release())

	letGo()
	must(t, other.Wait())
	o, err = open(t).Take(shop)
	must(t, err)
	if o.Killed != nil {
		t.Errorf("the other one ended properly, but is called killed: %v", o.Killed)
	}
	must(t, o.Release())
}

func TestL17TheLockDiesWithItsProcess(t *testing.T) {
	runtimeFolder(t)
	other, _ := anotherOwner(t, "shop")
	must(t, other.Process.Kill())
	_ = other.Wait() // it was killed
	folder := open(t)
	if stale := read(folder.info("shop")); stale == nil || stale.Alive() {
		t.Fatalf("what it has left is %v, want an info of a process that has ended", stale)
	}
	o, err := folder.Take(shop)
	must(t, err)
	if o.Killed == nil || o.Killed.PID != other.Process.Pid {
		t.Errorf("Killed = %v, want pid %d", o.Killed, other.Process.Pid)
	}
	if now := read(folder.info("shop")); now == nil || now.PID != os.Getpid() || !now.Alive() {
		t.Errorf("the info says %v, want this process", now)
	}
	must(t, o.Release())
}

// The child of an owner doesn't inherit the lock.
func TestTheLockIsNotInherited(t *testing.T) {
	runtimeFolder(t)
	o, err := open(t).Take(shop)
	must(t, err)
	child := exec.Command("sleep", "1000")
	must(t, child.Start())
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	must(t, o.Release())
	again, err := open(t).Take(shop)
	must(t, err)
	must(t, again.Release())
}

func TestAwaitGetsTheProjectOnceItIsGivenBack(t *testing.T) {
	runtimeFolder(t)
	other, letGo := anotherOwner(t, "shop")
	var waitedFor []int
	o, err := open(t).Await(t.Context(), Info{Project: "shop", Doing: "down"}, func(by Info) {
		waitedFor = append(waitedFor, by.PID)
		letGo()
	})
	must(t, err)
	must(t, o.Release())
	if len(waitedFor) != 1 || waitedFor[0] != other.Process.Pid {
		t.Errorf("it waited for %v, want %d once", waitedFor, other.Process.Pid)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	runtimeFolder(t)
	anotherOwner(t, "shop")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	_, err := open(t).Await(ctx, shop, func(Info) { cancel(enough) })
	if !errors.Is(err, enough) {
		t.Errorf("Await() = %v", err)
	}
	if _, held := errors.AsType[*HeldError](err); !held {
		t.Errorf("Await() = %v, want it to say who holds the project", err)
	}
}

// An info that nobody can read must not keep anybody from anything.
func TestADamagedInfoIsIgnored(t *testing.T) {
	runtimeFolder(t)
	folder := open(t)
	must(t, os.WriteFile(folder.info("shop"), []byte(`{"pid":`), 0o600))
	o, err := folder.Take(shop)
	must(t, err)
	if o.Killed != nil {
		t.Errorf("Killed = %v", o.Killed)
	}
	must(t, os.WriteFile(folder.info("shop"), []byte(`{"pid":`), 0o600))
	if _, err := folder.Take(shop); err == nil || !strings.Contains(err.Error(), "another lightshuttle") {
		t.Errorf("Take() = %v", err)
	}
	must(t, o.Release())
}

// A pid is used again some day, by a process that has nothing to do with us.
func TestAReusedPidIsNotTheOwner(t *testing.T) {
	info := Info{PID: os.Getpid(), ProcessStart: startOf(os.Getpid())}
	if !info.Alive() {
		t.Error("this process isn't alive")
	}
	info.ProcessStart -= time.Hour.Milliseconds()
	if info.Alive() {
		t.Error("another process that had this pid an hour ago is alive")
	}
}

func TestTheFilesAreTheUsersAlone(t *testing.T) {
	dir := runtimeFolder(t)
	o, err := open(t).Take(shop)
	must(t, err)
	defer func() { must(t, o.Release()) }()
	for name, want := range map[string]os.FileMode{"lightshuttle": 0o700, "lightshuttle/shop.json": 0o600, "lightshuttle/shop.lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o, want %o", name, got, want)
		}
	}
}
