package nerdctl

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first asked for. As
// a module the package is initialised with each operation, of which most need
// none.
type pattern func() *regexp.Regexp

func matching(text string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
