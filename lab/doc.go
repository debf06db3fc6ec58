// Command lab is the failure laboratory: it runs the real program against a
// real engine while something breaks, once for every thing that can break, and
// says what was lost. Its one reason to exist is that no other test can show
// that nothing is ever lost, and that nothing ever gets stuck.
//
// `lab matrix` records every call that the program makes to its engine, and
// then breaks each of them in every way; it kills the program and the engine
// at every event. `lab soak` does random operations on random stacks, and
// compares what it sees with a model.
package main
