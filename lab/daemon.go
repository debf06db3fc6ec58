package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
)

// daemon is an engine of the laboratory's own, with nothing in common with the
// machine's: it may be killed. Its containerd is a process of its own, as where
// an init system runs both, so that it outlives the engine.
//
// It has a network namespace of its own, which the program under test shares.
type daemon struct {
	dir string
	// number tells daemons of one run apart.
	number int
	// lives has containers outlive the engine.
	lives      bool
	containerd *child
	dockerd    *child
	// networksLost counts how often the engine came back only without its
	// networks.
	networksLost atomic.Int64
}

// child is a process that was started here and whose end is known.
type child struct {
	command *exec.Cmd
	ended   chan struct{}
}

const (
	// daemonPatience is how long an engine may take to answer, on a busy machine.
	daemonPatience = time.Minute
	daemonGrace    = 20 * time.Second
)

// startDaemon starts an engine in a folder of its own below dir.
func startDaemon(ctx context.Context, dir string, number int, lives bool) (*daemon, error) {
	d := &daemon{dir: filepath.Join(dir, fmt.Sprintf("engine%d", number)), number: number, lives: lives}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, err
	}
	if err := d.configure(); err != nil {
		return nil, err
	}
	var err error
	d.containerd, err = d.spawn("containerd", "containerd", "--config", d.path("containerd.toml"))
	if err != nil {
		return nil, fmt.Errorf("%w; the laboratory needs Linux, root, dockerd and containerd: see scripts/engine", err)
	}
	if err := d.answers(ctx, d.containerdSocket(), d.containerd); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := d.addNamespace(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// namespace names the network namespace that the engine has for itself. An
// engine thinks that the whole machine's network is its own: where another one
// runs, it takes away its firewall rules, its bridge and its addresses.
func (d *daemon) namespace() string { return fmt.Sprintf("lab-%d-%d", os.Getpid(), d.number) }

func (d *daemon) addNamespace(ctx context.Context) error {
	for _, args := range [][]string{
		{"ip", "netns", "add", d.namespace()},
		d.inside("ip", "link", "set", "lo", "up"),
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// inside is the command line for a program that shares the engine's network.
// The program replaces nsenter, so that it has the process id of the command.
// Unlike `ip netns exec`, nsenter leaves the mounts alone.
func (d *daemon) inside(args ...string) []string {
	return append([]string{"nsenter", "--net=/run/netns/" + d.namespace(), "--"}, args...)
}

func (d *daemon) path(name string) string { return filepath.Join(d.dir, name) }

func (d *daemon) socket() string           { return d.path("docker.sock") }
func (d *daemon) containerdSocket() string { return d.path("containerd.sock") }

func (d *daemon) configure() error {
	toml := fmt.Sprintf(`version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = %q
[plugins."io.containerd.internal.v1.opt"]
  path = %q
`, d.path("containerd"), d.path("containerd-state"), d.containerdSocket(), d.path("opt"))
	if err := os.WriteFile(d.path("containerd.toml"), []byte(toml), 0o600); err != nil {
		return err
	}
	return os.WriteFile(d.path("dockerd.json"), []byte("{}"), 0o600)
}

// spawn starts a program that writes to a log of its name.
func (d *daemon) spawn(name string, command ...string) (*child, error) {
	log, err := os.OpenFile(d.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := &child{command: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	c.command.Stdout, c.command.Stderr = log, log
	c.command.Dir = d.dir
	c.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		_ = c.command.Wait() // how it ends is who ends it
	}()
	return c, nil
}

// startAttempts is how often it is tried to start an engine: one that was killed
// in the middle of things doesn't always come back at once.
const startAttempts = 3

// start starts the engine, which may have been killed before.
func (d *daemon) start(ctx context.Context) error {
	var failures []error
	for range startAttempts {
		err := d.startOnce(ctx)
		if err == nil {
			return nil
		}
		failures = append(failures, err)
		d.kill()
		if err := d.forgetNetworks(); err != nil {
			return errors.Join(append(failures, err)...)
		}
	}
	return errors.Join(failures...)
}

// halfANetwork is where a dockerd panics at every start, once it was killed
// between the two writes that make a network: its store then has one without
// addresses. Only who removes the store gets such an engine back.
const halfANetwork = "libnetwork.(*controller).reservePools"

// forgetNetworks does what an administrator has to do with an engine that
// doesn't come back.
func (d *daemon) forgetNetworks() error {
	if !strings.Contains(d.lastWords(), halfANetwork) {
		return nil
	}
	d.networksLost.Add(1)
	return errors.Join(
		os.Remove(d.path("data/network/files/local-kv.db")),
		os.Truncate(d.path("dockerd.log"), 0),
	)
}

func (d *daemon) startOnce(ctx context.Context) error {
	args := []string{
		"--data-root", d.path("data"), "--exec-root", d.path("exec"), "--pidfile", d.path("pid"),
		"--config-file", d.path("dockerd.json"), "--host", "unix://" + d.socket(), "--containerd", d.containerdSocket(),
		"--default-address-pool", "base=10.200.0.0/16,size=27",
		"--shutdown-timeout", "5",
	}
	if d.lives {
		args = append(args, "--live-restore")
	}
	// What a killed one leaves behind, it would trip over.
	if err := os.Remove(d.path("pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var err error
	if d.dockerd, err = d.spawn("dockerd", d.inside(append([]string{"dockerd"}, args...)...)...); err != nil {
		return err
	}
	return d.answers(ctx, d.socket(), d.dockerd)
}

// answers waits until something accepts connections at the socket.
func (d *daemon) answers(ctx context.Context, socket string, c *child) error {
	ctx, cancel := context.WithTimeout(ctx, daemonPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unix", socket)
		if err == nil {
			conn.Close()
			if socket != d.socket() || d.ping() {
				return nil
			}
		}
		select {
		case <-c.ended:
			return fmt.Errorf("%s ended by itself:\n%s", strings.Join(c.command.Args, " "), d.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s doesn't answer at %s: %w", c.command.Args[0], socket, ctx.Err())
		case <-tick.C:
		}
	}
}

// lastWords are the end of the engine's log.
func (d *daemon) lastWords() string {
	const most = 3000
	log, err := os.ReadFile(d.path("dockerd.log"))
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}

func (d *daemon) ping() bool {
	up := newUpstream(d.socket())
	defer up.close()
	var version struct{ APIVersion string }
	return up.get("/version", &version) == nil
}

// kill kills the engine, as kill -9 does, and returns when it is gone.
func (d *daemon) kill() {
	if d.dockerd == nil {
		return
	}
	_ = d.dockerd.command.Process.Kill() // it is gone already
	<-d.dockerd.ended
}

// restart kills the engine and starts it again.
func (d *daemon) restart(ctx context.Context) error {
	d.kill()
	return d.start(ctx)
}

// close ends everything and removes all files.
func (d *daemon) close() error {
	d.end(d.dockerd)
	d.end(d.containerd)
	d.killShims()
	_ = exec.Command("ip", "netns", "delete", d.namespace()).Run() // it may never have been added
	if err := d.unmount(); err != nil {
		return err
	}
	return os.RemoveAll(d.dir)
}

func (d *daemon) end(c *child) {
	if c == nil {
		return
	}
	_ = c.command.Process.Signal(syscall.SIGTERM) // it is gone already
	limit := time.AfterFunc(daemonGrace, func() { _ = c.command.Process.Kill() })
	defer limit.Stop()
	<-c.ended
}

// killShims ends what containers a killed engine has left running: each is the
// child of a process which has this daemon's socket among its arguments.
func (d *daemon) killShims() {
	for _, p := range processes() {
		if !strings.Contains(p.arguments, d.containerdSocket()) {
			continue
		}
		for _, c := range processes() {
			if c.parent == p.pid {
				_ = syscall.Kill(c.pid, syscall.SIGKILL)
			}
		}
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// unmount takes down the mounts below the folder, the deepest first.
func (d *daemon) unmount() error {
	mounts, err := disk.Partitions(true)
	if err != nil {
		return err
	}
	var points []string
	for _, m := range mounts {
		if strings.HasPrefix(m.Mountpoint, d.dir+"/") {
			points = append(points, m.Mountpoint)
		}
	}
	slices.Sort(points)
	slices.Reverse(points)
	for _, point := range points {
		_ = syscall.Unmount(point, syscall.MNT_DETACH) // the removal of the folder fails then
	}
	return nil
}
