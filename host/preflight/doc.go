// Package preflight looks, before anything is changed, whether a plan can
// succeed: the engine, the images, the folders to build from, and the ports on
// the host.
package preflight
