package plan

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// GraphFormats are the formats that WriteGraph knows.
var GraphFormats = []string{"dot", "mermaid", "svg"}

// WriteGraph draws what waits for what, in one of GraphFormats.
func (p *Plan) WriteGraph(w io.Writer, format string) error {
	var text string
	switch format {
	case "dot":
		text = p.dot()
	case "mermaid":
		text = p.mermaid()
	case "svg":
		text = p.svg()
	default:
		return fmt.Errorf("there is no graph format %q: it is one of %s", format, strings.Join(GraphFormats, ", "))
	}
	_, err := io.WriteString(w, text)
	return err
}

func (p *Plan) dot() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  rankdir=LR\n  node [shape=box]\n", p.Project)
	for _, step := range p.Steps {
		fmt.Fprintf(&b, "  %q [label=%q]\n", step.Resource, step.label("\n"))
		for _, dependency := range step.DependsOn {
			fmt.Fprintf(&b, "  %q -> %q [label=%q]\n", dependency.Resource, step.Resource, dependency.Condition)
		}
	}
	return b.String() + "}\n"
}

func (p *Plan) mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[string]string{}
	for i, step := range p.Steps {
		ids[step.Resource] = fmt.Sprintf("r%d", i)
		fmt.Fprintf(&b, "  r%d[\"%s\"]\n", i, step.label("<br>"))
	}
	for _, step := range p.Steps {
		for _, dependency := range step.DependsOn {
			fmt.Fprintf(&b, "  %s -- %s --> %s\n", ids[dependency.Resource], dependency.Condition, ids[step.Resource])
		}
	}
	return b.String()
}

func (s *Step) label(newline string) string {
	return s.Resource + newline + s.Kind + newline + string(s.Action)
}

// The measures of the drawing, in pixels.
const (
	boxWidth, boxHeight = 160, 60
	gapX, gapY          = 60, 20
	margin              = 20
)

// svg draws the steps in columns: each right of all that it waits for.
func (p *Plan) svg() string {
	type place struct{ x, y int }
	column := map[string]int{}
	places := map[string]place{}
	var filled []int
	for _, step := range p.Steps { // dependencies come first
		at := 0
		for _, dependency := range step.DependsOn {
			at = max(at, column[dependency.Resource]+1)
		}
		column[step.Resource] = at
		if at == len(filled) {
			filled = append(filled, 0)
		}
		places[step.Resource] = place{margin + at*(boxWidth+gapX), margin + filled[at]*(boxHeight+gapY)}
		filled[at]++
	}
	tallest := 0
	for _, count := range filled {
		tallest = max(tallest, count)
	}
	var b strings.Builder
	width, height := 2*margin+len(filled)*(boxWidth+gapX)-gapX, 2*margin+tallest*(boxHeight+gapY)-gapY
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\" text-anchor=\"middle\">\n", max(width, 1), max(height, 1))
	for _, step := range p.Steps {
		to := places[step.Resource]
		for _, dependency := range step.DependsOn {
			from := places[dependency.Resource]
			fmt.Fprintf(&b, "  <line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"gray\"><title>%s</title></line>\n",
				from.x+boxWidth, from.y+boxHeight/2, to.x, to.y+boxHeight/2, dependency.Condition)
		}
	}
	for _, step := range p.Steps {
		at := places[step.Resource]
		fmt.Fprintf(&b, "  <rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"white\" stroke=\"black\"/>\n", at.x, at.y, boxWidth, boxHeight)
		fmt.Fprintf(&b, "  <text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", at.x+boxWidth/2, at.y+26, html.EscapeString(step.Resource))
		fmt.Fprintf(&b, "  <text x=\"%d\" y=\"%d\">%s, %s</text>\n", at.x+boxWidth/2, at.y+45, html.EscapeString(step.Kind), step.Action)
	}
	return b.String() + "</svg>\n"
}
