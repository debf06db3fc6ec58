package host

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host/mixed"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Runtime is a runtime that has to be closed.
type Runtime interface {
	sdk.Runtime
	io.Closer
}

// Project is what a runtime is opened for.
type Project struct {
	Name string
	// Runtimes are those that its resources ask for, "" for that of the settings;
	// nil where that isn't known, as without a manifest.
	Runtimes []string
}

// Open opens the runtime for a project: the one of the settings, those that its
// resources ask for, and those that hold anything of it from earlier runs. A
// runtime that nothing of the project needs may be away. An unknown name fails
// with sdk.CodeInvalid.
func Open(ctx context.Context, settings *config.Settings, project Project, logger *slog.Logger) (Runtime, error) {
	o := &opener{settings: settings, logger: logger, project: project}
	opened, err := o.open(ctx)
	if err != nil {
		for _, member := range o.members {
			_ = member.Runtime.(io.Closer).Close() //nolint:forcetypeassert // open makes nothing else
		}
		return nil, err
	}
	return opened, nil
}

// opener collects the runtimes that a project needs.
type opener struct {
	settings *config.Settings
	logger   *slog.Logger
	project  Project
	members  []mixed.Member
}

func (o *opener) open(ctx context.Context) (Runtime, error) {
	name, needed, err := o.first(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.add(name); err != nil {
		return nil, err
	}
	for _, other := range o.project.Runtimes {
		if err := o.add(other); err != nil {
			return nil, err
		}
	}
	if o.holdsProcesses() {
		if err := o.add(processName); err != nil {
			return nil, err
		}
	}
	if !needed && len(o.members) > 1 && !o.holds(ctx, o.members[0].Runtime) {
		o.drop(0)
	}
	if len(o.members) == 1 {
		return o.members[0].Runtime.(Runtime), nil //nolint:forcetypeassert // add makes nothing else
	}
	return mixed.New(o.members...)
}

// add opens a runtime that isn't open yet.
func (o *opener) add(name string) error {
	known := func(member mixed.Member) bool { return member.Name == name }
	if name == "" || slices.ContainsFunc(o.members, known) {
		return nil
	}
	runtime, err := openNamed(name, o.project.Name, o.settings, o.logger)
	if err != nil {
		return err
	}
	o.members = append(o.members, mixed.Member{Name: name, Runtime: runtime})
	return nil
}

// first is the runtime of the settings, and whether the project needs it.
func (o *opener) first(ctx context.Context) (name string, needed bool, err error) {
	name = o.settings.Runtime
	needed = slices.Contains(o.project.Runtimes, "") || slices.Contains(o.project.Runtimes, name)
	if o.project.Runtimes == nil {
		// Without a manifest, only what there is can tell.
		needed = !o.holdsProcesses()
	}
	if name == Auto {
		name, err = choose(ctx, o.settings, o.logger, needed)
	}
	return name, needed, err
}

// holdsProcesses says whether there are processes of the project: its manifest
// may have changed or be elsewhere. It costs a look at a folder.
func (o *opener) holdsProcesses() bool {
	processes, err := openProcess(o.settings, o.logger)
	if err != nil {
		return false // where there can be no processes, there are none
	}
	defer func() { _ = processes.Close() }() // it holds nothing
	return processes.Known(o.project.Name)
}

// holds says whether a runtime that isn't needed has anything of the project.
// One that can't be asked is left out.
func (o *opener) holds(ctx context.Context, runtime sdk.Runtime) bool {
	lister, ok := runtime.(sdk.Lister)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	states, err := lister.List(ctx, o.project.Name)
	if err != nil {
		o.logger.Debug("a runtime that nothing needs was left out", "error", err)
	}
	return err == nil && len(states) > 0
}

func (o *opener) drop(i int) {
	_ = o.members[i].Runtime.(io.Closer).Close() //nolint:forcetypeassert // add makes nothing else
	o.members = slices.Delete(o.members, i, i+1)
}
