package nerdctl

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Ping implements sdk.Pinger. A client that is there says little of the engine
// behind it, so the engine is asked, too.
func (r *Runtime) Ping(ctx context.Context) (sdk.Info, error) {
	info, err := r.ask(ctx)
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Code != sdk.CodeInternal {
		return info, err
	}
	// Whatever it says: an engine that can't say its version is of no use.
	with := *e
	with.Code, with.Hint = sdk.CodeUnavailable, r.dialect.start
	return info, &with
}

func (r *Runtime) ask(ctx context.Context) (sdk.Info, error) {
	output, err := r.run(ctx, call{op: "ping", args: []string{"version", "--format", "{{json .}}"}})
	if err != nil {
		return sdk.Info{}, err
	}
	var version struct {
		Client struct{ Version, APIVersion, Os, OSArch, Arch string }
	}
	if err := json.Unmarshal(output, &version); err != nil {
		return sdk.Info{}, r.rubbish("ping", output, err)
	}
	if version.Client.Version == "" {
		return sdk.Info{}, r.rubbish("ping", output, errors.New("it names no version"))
	}
	if _, err := r.run(ctx, call{op: "ping", args: []string{"ps", "--quiet"}}); err != nil {
		return sdk.Info{}, err
	}
	return sdk.Info{
		Name: r.dialect.name, Version: version.Client.Version, APIVersion: version.Client.APIVersion,
		Address: r.program, OS: version.Client.Os, Arch: version.Client.Arch,
	}, nil
}
