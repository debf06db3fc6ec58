// Package resume goes on with podman's events where they end.
//
// podman keeps them in a file. When that gets too long, podman puts a shorter one
// in its place, and who follows it, by the command or by the socket, comes to an
// end without a word. Who reads a line that is only half written fails. Neither
// is a lost engine: the events are asked for again, from a moment that is surely
// early enough, and those that were heard before are left out.
package resume
