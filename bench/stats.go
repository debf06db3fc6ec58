package main

import (
	"cmp"
	"slices"
	"time"
)

// series are the figures of one subject, in the order of the runs.
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

func (s series) min() float64 { return slices.MinFunc(s, cmp.Compare[float64]) }
func (s series) max() float64 { return slices.MaxFunc(s, cmp.Compare[float64]) }

// pairwise is the median of the ratios run by run: what slows the machine down
// for a while slows both of a run.
func (s series) pairwise(to series) float64 {
	var ratios series
	for i := range min(len(s), len(to)) {
		if to[i] > 0 {
			ratios = append(ratios, s[i]/to[i])
		}
	}
	return ratios.median()
}

// ofMedians is the ratio of the medians.
func (s series) ofMedians(to series) float64 {
	if to.median() == 0 {
		return 0
	}
	return s.median() / to.median()
}

// figures are the series of all subjects for one measure, by subject.
type figures map[string]series

func (f figures) add(subject string, value float64) {
	f[subject] = append(f[subject], value)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
