// Package directory remembers whose containers are, for engines and plugins whose
// events tell ids alone. An event of a container that isn't known yet waits,
// without holding up others, until the start that makes it has returned, or until
// somebody has looked; one of a container that is another's is left out.
package directory
