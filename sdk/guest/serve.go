package guest

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// open makes the runtime of an operation.
var open func(abi.Context) (sdk.Runtime, error)

// Serve makes rt what the module runs. It is called from an init function, since
// the main function of a module is not run.
func Serve(rt sdk.Runtime) {
	open = func(abi.Context) (sdk.Runtime, error) { return rt, nil }
}

// ServeConfigured is Serve for a runtime that depends on the user's
// configuration, which arrives as JSON with each operation, or on the project.
// Where the user gives no configuration, it is the zero value.
func ServeConfigured[Config any](make func(project string, config Config) (sdk.Runtime, error)) {
	open = func(call abi.Context) (sdk.Runtime, error) {
		var config Config
		if len(call.Config) > 0 {
			if err := json.Unmarshal(call.Config, &config); err != nil {
				return nil, &sdk.Error{Code: sdk.CodeInvalid, Op: "config", Err: err, Hint: "change the plugin's `config` in your settings"}
			}
		}
		return make(call.Project, config)
	}
}

// Operation runs one operation of a module and returns its status: what an
// export does. The runtime is asked for the interface Able; one that hasn't got
// it is an error of the module, which exports what it can't do.
func Operation[Able, Args, Result any](name abi.Operation, do func(ctx context.Context, rt Able, args Args) (Result, error)) int32 {
	var result Result
	var err error
	l := runLoop(hostcall.Poll, func(ctx context.Context) {
		result, err = serve(ctx, name, do)
	})
	if err == nil {
		return answer(result)
	}
	status, document := abi.FromError(err)
	if status == abi.Cancelled && errors.Is(l.told, context.DeadlineExceeded) {
		status = abi.Timeout
	}
	return refuse(status, document)
}

func serve[Able, Args, Result any](ctx context.Context, name abi.Operation, do func(context.Context, Able, Args) (Result, error)) (Result, error) {
	var none Result
	var request abi.Request[Args]
	if err := json.Unmarshal(hostcall.Input(), &request); err != nil {
		return none, &sdk.Error{Code: sdk.CodeInternal, Op: string(name), Err: errors.New("the host's request can't be read: " + err.Error())}
	}
	if open == nil {
		return none, &sdk.Error{Code: sdk.CodeInternal, Err: errors.New("the module serves nothing: guest.Serve isn't called from an init function")}
	}
	rt, err := open(request.Ctx)
	if err != nil {
		return none, err
	}
	able, ok := rt.(Able)
	if !ok {
		return none, &sdk.Error{Code: sdk.CodeUnsupported, Op: string(name), Err: errors.New("the module exports an operation that its runtime doesn't have")}
	}
	return do(ctx, able, request.Args)
}

func answer(result any) int32 {
	document, err := json.Marshal(result)
	if err != nil {
		return refuse(abi.Internal, abi.Error{Message: "the result can't be written: " + err.Error()})
	}
	if status := abi.Status(hostcall.Output(document)); status != abi.OK {
		return refuse(status, abi.Error{Message: "the host doesn't take the result"})
	}
	return int32(abi.OK)
}

func refuse(status abi.Status, document abi.Error) int32 {
	// What a container printed last can be long; its end is what matters.
	if keep := abi.MaxError / 8; len(document.Output) > keep {
		document.Output = document.Output[len(document.Output)-keep:]
	}
	if data, err := json.Marshal(document); err == nil {
		hostcall.Output(data)
	}
	return int32(status)
}
