// Package process is the runtime of plain processes on this machine: no engine,
// no image, no isolation.
//
// What an engine's daemon is to containers, a supervisor is to processes: one
// small process for each project, started with the first one and gone with the
// last. It is this very program, called with a hidden command (see [Supervise]).
// It holds the output of its processes, reaps them, knows how they ended and
// kills what they leave behind, so all of that outlives a `kill -9` of whoever
// asked for it. It starts again what has a restart policy. Two hundred processes cost one supervisor, not two hundred.
//
// Everything is on disk in a folder of the user's (mode 0700, files 0600), in a
// journal that is written before the side effect that depends on it. It isn't
// synced: what a crash of the machine could lose, that crash has ended too. The
// supervisor is asked through a socket in the project's folder, on one connection
// for all requests; the journal is read when it has gone.
//
// A process is its own process group. Stopping sends the signal to the whole
// group and, after the grace period, SIGKILL. On Linux the supervisor is a
// subreaper, so what leaves the group is still its descendant, and goes when
// the process goes; should the supervisor itself be killed, its processes die
// with it, and whoever looks next sweeps by a mark in their environment. A pid
// is never trusted without the start time that was recorded with it.
package process
