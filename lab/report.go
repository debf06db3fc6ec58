package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// line is a line of the report.
type line struct {
	scenario                                             scenario
	kind                                                 faultKind
	tried, survived, reported, leaked, failed, unreached int
}

// table is the matrix as markdown: a line for each kind of fault.
func table(outcomes []outcome) string {
	var lines []*line
	for _, o := range outcomes {
		i := slices.IndexFunc(lines, func(l *line) bool { return l.scenario == o.Scenario && l.kind == o.Kind })
		if i < 0 {
			i = len(lines)
			lines = append(lines, &line{scenario: o.Scenario, kind: o.Kind})
		}
		lines[i].add(o)
	}
	slices.SortFunc(lines, func(x, y *line) int {
		return cmp.Or(-cmp.Compare(x.scenario, y.scenario), cmp.Compare(x.kind, y.kind))
	})
	sum := &line{scenario: "**all**"}
	var text strings.Builder
	text.WriteString("| during | what breaks | tried | survived | of these, left something and said so | leaked | failed | not reached |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, l := range lines {
		sum.tried += l.tried
		sum.survived += l.survived
		sum.reported += l.reported
		sum.leaked += l.leaked
		sum.failed += l.failed
		sum.unreached += l.unreached
		text.WriteString(l.String())
	}
	text.WriteString(sum.String())
	return text.String()
}

func (l *line) add(o outcome) {
	switch {
	case !o.survived():
		l.tried++
		l.failed++
	case !o.Reached:
		l.unreached++
		return
	default:
		l.tried++
		l.survived++
	}
	if o.Leaked {
		l.leaked++
	}
	if o.Reported && o.survived() {
		l.reported++
	}
}

func (l *line) String() string {
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %d |\n", l.scenario, l.kind, l.tried, l.survived, l.reported, l.leaked, l.failed, l.unreached)
}
