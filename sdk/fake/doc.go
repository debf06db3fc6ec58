// Package fake has runtimes in memory, for tests. [Runtime] does as its script
// says: every phase can be delayed, failed, hung or made to panic, for tests of
// programs that run on the contract. [Engine] is a whole engine that keeps the
// contract, for tests of the contract's own suite and of adapters. With
// testing/synctest all their delays cost nothing.
package fake
