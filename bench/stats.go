package main

import (
	"cmp"
	"slices"
	"time"
)

// series are the figures of one subject, in the order of the rounds.
type series []float64

func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func (s series) least() float64 { return slices.MinFunc(s, cmp.Compare[float64]) }
func (s series) most() float64  { return slices.MaxFunc(s, cmp.Compare[float64]) }

// ratio is the median of the ratios round by round: what slows the machine down
// for a while slows both of a round.
func (s series) ratio(to series) float64 {
	var ratios series
	for i := range min(len(s), len(to)) {
		if to[i] > 0 {
			ratios = append(ratios, s[i]/to[i])
		}
	}
	return ratios.median()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
