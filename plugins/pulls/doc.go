// Package pulls makes those who want one image at the same time share one pull of
// it: a stack of twenty containers of one image asks its registry once. Each hears
// of the progress. Who gives up doesn't take the pull away from the others; the
// last one ends it.
package pulls
