package probe_test

import (
	"context"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// Until makes attempts, the first at once, until one passes.
func ExampleUntil() {
	check := sdk.Healthcheck{StartInterval: sdk.Duration(time.Millisecond)}
	tries := 0
	err := probe.Until(context.Background(), check, func(context.Context) (probe.Result, error) {
		tries++
		return probe.Result{Passed: tries == 3, Output: "it warms up"}, nil
	})
	fmt.Println("tries:", tries, "error:", err)
	// Output: tries: 3 error: <nil>
}

// Failures count an interval apart, so a short start interval never fails a
// container earlier. The error carries what the last check said.
func ExampleUntil_unhealthy() {
	check := sdk.Healthcheck{
		StartInterval: sdk.Duration(time.Millisecond), Interval: sdk.Duration(10 * time.Millisecond), Retries: 2,
	}
	err := probe.Until(context.Background(), check, func(context.Context) (probe.Result, error) {
		return probe.Result{Output: "connection refused"}, nil
	})
	fmt.Println(err)
	fmt.Println(sdk.CodeOf(err))
	// Output:
	// healthcheck: not healthy after 2 retries
	// unhealthy
}

// Budget says how long a check may take to give up.
func ExampleBudget() {
	fmt.Println(probe.Budget(sdk.Healthcheck{
		StartPeriod: sdk.Duration(10 * time.Second), Interval: sdk.Duration(2 * time.Second),
		Timeout: sdk.Duration(time.Second), Retries: 5,
	}))
	// Output: 25s
}

// Log waits for a line of output.
func ExampleLog() {
	ctx := context.Background()
	runtime := fake.New(map[string]fake.Script{"app": {Log: "warming up\nlistening on port 8080\n"}})
	id, err := runtime.Start(ctx, sdk.Spec{Project: "shop", Resource: "app", Name: "shop.app", Image: "app:1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(probe.Log(ctx, runtime, id, sdk.LogCheck{Pattern: `listening on port \d+`}))
	// Output: <nil>
}
