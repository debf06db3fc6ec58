// Package fake is a runtime in memory whose every phase can be delayed, failed,
// hung or made to panic, for tests of programs that run on the contract. With
// testing/synctest all its delays cost nothing.
package fake
