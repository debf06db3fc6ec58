// Package enginelog takes apart the logs that container engines give: Docker's
// frames, which hold both outputs of a container, and the lines with times that
// a log command prints on two pipes. It also finds the place again at which a
// followed log has ended, since engines stop as soon as the container does,
// whether or not all of it has been told.
//
// Runtimes that are built in call it themselves; for those that are WASM modules
// the host does, which is much faster than what a module can do.
package enginelog
