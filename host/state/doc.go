// Package state keeps what a project must not forget between two runs: the
// passwords that were generated for it, the host ports that were chosen, and what
// was brought up. It lives in the folder .lightshuttle beside the manifest, which
// git ignores by itself, readable by its owner alone.
package state
