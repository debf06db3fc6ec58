// Package module reads the binary of a plugin without running it: what it can
// do (its exports), what it needs (its imports), what it asks for (its
// manifest), and whether it is fit to be compiled at all. A compiler can be made
// to work for hours on a few kilobytes; what is refused here never reaches it.
//
// It also hardens a module's code, so that code without loops meets its deadline
// too; see [Harden].
package module
