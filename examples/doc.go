// Package examples has stacks that run as they stand; its tests run them all.
package examples
