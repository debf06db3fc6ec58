package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// shop is a plan made by hand: an application that needs a database. Usually a
// plan comes from plan.Up, which compares a manifest with what is there.
func shop() *plan.Plan {
	step := func(name string, check *sdk.Healthcheck, needs ...string) plan.Step {
		s := plan.Step{
			Resource: name, Kind: "container", Action: plan.Create,
			Spec: &sdk.Spec{
				Project: "shop", Resource: name, Name: "shop." + name, Image: name + ":1", Healthcheck: check,
				Labels: map[string]string{sdk.LabelProject: "shop", sdk.LabelResource: name},
			},
		}
		for _, need := range needs {
			s.DependsOn = append(s.DependsOn, plan.Dependency{Resource: need, Condition: plan.Ready})
		}
		return s
	}
	answers := &sdk.Healthcheck{Test: []string{"is-it-ready"}}
	return &plan.Plan{Project: "shop", Steps: []plan.Step{step("db", answers), step("app", nil, "db")}}
}

func show(event lifecycle.Event) {
	fmt.Println(strings.TrimSpace(fmt.Sprint(event.Seq, " ", event.Type, " ", event.Resource)))
}

// A stack is started, followed and stopped. The runtime is one in memory.
func Example() {
	ctx := context.Background()
	manager, err := lifecycle.New(shop(), fake.New(nil), lifecycle.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	if err := manager.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, resource := range manager.Snapshot() {
		fmt.Println(resource.Name, "is", resource.State)
	}
	if err := manager.Stop(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for event := range manager.Events().Since(ctx, 0) {
		show(event)
		if event.Type == lifecycle.StackStopped {
			break
		}
	}
	// Output:
	// db is healthy
	// app is running
	// 1 stack_starting
	// 2 resource_starting db
	// 3 resource_started db
	// 4 resource_healthy db
	// 5 resource_starting app
	// 6 resource_started app
	// 7 resource_ready app
	// 8 stack_started
	// 9 stack_stopping
	// 10 resource_stopping app
	// 11 resource_stopped app
	// 12 resource_stopping db
	// 13 resource_stopped db
	// 14 stack_stopped
}

// When one resource doesn't come up, what was created is removed again, and the
// error says what was to be seen of the culprit.
func ExampleManager_Start_failure() {
	runtime := fake.New(map[string]fake.Script{"app": {
		Start: fake.Phase{Err: sdk.Errorf(sdk.CodeImageNotFound, "start", "there is no image app:1")},
	}})
	manager, err := lifecycle.New(shop(), runtime, lifecycle.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	err = manager.Start(context.Background())
	fmt.Println(err)
	if failed, ok := errors.AsType[*lifecycle.StartError](err); ok {
		fmt.Println("culprit:", failed.Failures[0].Resource)
		fmt.Println("code:", sdk.CodeOf(failed.Failures[0]))
	}
	fmt.Printf("left: [%s]\n", strings.Join(runtime.Left(), ", "))
	// Output:
	// app: start: there is no image app:1
	// culprit: app
	// code: image_not_found
	// left: []
}

// Any number of readers may follow the events, each at its own pace and from
// any number on.
func ExampleEventLog_Since() {
	ctx := context.Background()
	manager, err := lifecycle.New(shop(), fake.New(nil), lifecycle.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	if err := manager.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for event := range manager.Events().Since(ctx, 6) {
		show(event)
		if event.Type == lifecycle.StackStarted {
			break
		}
	}
	// Output:
	// 7 resource_ready app
	// 8 stack_started
}
