// Package owner sees to it that a project has one owner at a time (L15): a lock
// that dies with its process, and beside it a file that says who holds it. They
// live in a folder that is the user's alone, and are named after the project, so
// that they are found from any directory.
package owner
