package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/plugins/process"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// processCount is how many processes are brought up and down.
const processCount = 200

// sleeper is what each of them does. Nobody else on the machine sleeps that long.
var sleeper = []string{"sleep", "36173"}

// processes compares the scheduler on the runtime of processes, with all that it
// records and with the start of its supervisor, with bare fork, exec and kill of
// the same programs. Neither may leave a process or a zombie.
func processes(ctx context.Context, h *harness) error {
	took := figures{}
	for round := range h.runs*often + 1 {
		fmt.Fprintf(os.Stderr, "   round %d of %d\n", round, h.runs*often)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ours, err := timeProcesses(ctx, h)
		if err != nil {
			return err
		}
		bare, err := timeForks(filepath.Join(h.dir, "bare"))
		if err != nil {
			return err
		}
		if running, zombies, err := left(); err != nil || running+zombies > 0 {
			return errors.Join(err, fmt.Errorf("%d processes and %d zombies are left", running, zombies))
		}
		if round > 0 {
			took.add(us, milliseconds(ours))
			took.add(best, milliseconds(bare))
		}
	}
	h.report.add(fmt.Sprintf("%d processes up and down", processCount), "ms", took)
	h.report.compare(fmt.Sprintf("%d processes up and down ÷ bare fork, exec and kill", processCount), took[us], took[best], 1.5)
	return nil
}

func timeProcesses(ctx context.Context, h *harness) (time.Duration, error) {
	p := &plan.Plan{Project: "processes"}
	for i := range processCount {
		name := fmt.Sprintf("p%d", i)
		p.Steps = append(p.Steps, plan.Step{Resource: name, Action: plan.Create, Spec: &sdk.Spec{
			Project: p.Project, Resource: name, Name: p.Project + "." + name, Command: sleeper,
			Labels: map[string]string{sdk.LabelProject: p.Project, sdk.LabelResource: name},
		}})
	}
	began := time.Now()
	runtime, err := process.Open(process.Options{Dir: filepath.Join(h.dir, "processes"), Supervisor: []string{h.program, host.SuperviseCommand}})
	if err != nil {
		return 0, err
	}
	defer runtime.Close()
	manager, err := lifecycle.New(p, runtime, lifecycle.Options{})
	if err != nil {
		return 0, err
	}
	defer manager.Close()
	if err := manager.Start(ctx); err != nil {
		return 0, err
	}
	err = manager.Stop(ctx)
	return time.Since(began), err
}

// timeForks starts as many of the program as can be, each in a process group of
// its own and with its output in a file, then ends the groups and reaps them.
func timeForks(dir string) (time.Duration, error) {
	began := time.Now()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	commands := make([]*exec.Cmd, processCount)
	errs := make([]error, processCount)
	var all sync.WaitGroup
	for i := range commands {
		all.Go(func() { commands[i], errs[i] = forkBare(filepath.Join(dir, strconv.Itoa(i))) })
	}
	all.Wait()
	for i, command := range commands {
		all.Go(func() {
			if errs[i] != nil {
				return
			}
			errs[i] = syscall.Kill(-command.Process.Pid, syscall.SIGTERM)
			_ = command.Wait() // it was killed
		})
	}
	all.Wait()
	errs = append(errs, os.RemoveAll(dir))
	return time.Since(began), errors.Join(errs...)
}

func forkBare(output string) (*exec.Cmd, error) {
	file, err := os.OpenFile(output, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.Command(sleeper[0], sleeper[1:]...)
	command.Stdout, command.Stderr = file, file
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command, command.Start()
}

// left counts the processes of a run that are still there, and those that this
// process has not reaped.
func left() (running, zombies int, err error) {
	command := []byte(strings.Join(sleeper, "\x00") + "\x00")
	zombie := fmt.Appendf(nil, ") Z %d ", os.Getpid())
	all, err := filepath.Glob("/proc/[0-9]*")
	for _, folder := range all {
		// What has ended meanwhile has neither.
		if line, err := os.ReadFile(filepath.Join(folder, "cmdline")); err == nil && bytes.Equal(line, command) {
			running++
		}
		if line, err := os.ReadFile(filepath.Join(folder, "stat")); err == nil && bytes.Contains(line, zombie) {
			zombies++
		}
	}
	return running, zombies, err
}
