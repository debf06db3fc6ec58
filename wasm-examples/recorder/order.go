package main

import (
	"slices"
	"strings"
)

// oldest returns the n keys with the earliest times, which are after their last
// slash.
func oldest(keys []string, n int) []string {
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, func(a, b string) int {
		return strings.Compare(a[strings.LastIndexByte(a, '/'):], b[strings.LastIndexByte(b, '/'):])
	})
	return sorted[:min(n, len(sorted))]
}
