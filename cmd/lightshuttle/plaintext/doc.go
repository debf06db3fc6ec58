// Package plaintext takes the power over the terminal out of text that others
// wrote, such as what a container prints or an engine answers.
package plaintext
