// Package control lets other processes of the same user look at a running stack
// and act on it: HTTP on a Unix socket, with JSON in both directions. A [Server]
// is part of the process that owns the project, a [Client] of all others.
//
// Who may connect is a matter of the file system: the socket is in a folder that
// is its user's alone.
package control
