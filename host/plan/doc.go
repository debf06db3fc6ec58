// Package plan compares what is wanted with what is seen and says what to do
// about it, step by step, each with its reason. It is pure: a plan is a value
// that can be printed, tested as text, and is exactly what gets executed.
package plan
