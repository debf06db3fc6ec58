// Package nerdctl is the runtime that drives an engine by its command line:
// nerdctl, podman, finch or docker. What they do differently stands in one
// table. It uses nothing of the machine but [sdk.Host], so the same package also
// is a WASM module.
//
// Each call is a process and costs 20 to 300 ms, so there are few of them: one
// starts a container, one follows all events, one looks at many containers.
// Processes that work are bounded in number; those that wait aren't.
//
// No secret is in an argument list: the environment of containers goes through
// the client's standard input. No check of health is left to the engine, because
// nerdctl has no scheduler for them, podman needs systemd for it, and none of
// these command lines takes a check that isn't for a shell.
package nerdctl
