// Package probe has the healthchecks that need a network: a TCP connection and
// an HTTP request, made by the program itself, so that nothing is needed in the
// image, and no plugin has to carry an HTTP client.
package probe
