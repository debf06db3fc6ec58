package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const templateHead = `# Settings of LightShuttle.
#
# Take away the "#" before a setting to change it. A flag wins over the
# environment, the environment over the file of --config, that file over
# .lightshuttle/config.yaml beside the manifest, and that one over the user's
# ~/.config/lightshuttle/config.yaml.
`

// Template returns a file that explains every setting and changes none. The
// sections are there already, so that one "#" is all there is to take away.
func Template() []byte {
	var out bytes.Buffer
	out.WriteString(templateHead)
	var open []string
	for _, s := range table {
		names := strings.Split(s.Key, ".")
		sections, name := names[:len(names)-1], names[len(names)-1]
		out.WriteByte('\n')
		for depth, section := range sections {
			if !slices.Equal(open[:min(depth+1, len(open))], sections[:depth+1]) {
				fmt.Fprintf(&out, "%s%s:\n", indent(depth), section)
			}
		}
		open = sections
		margin := indent(len(sections))
		for _, line := range wrap(s.Doc, 78-len(margin)) {
			fmt.Fprintf(&out, "%s# %s\n", margin, line)
		}
		fmt.Fprintf(&out, "%s#%s: %s\n", margin, name, yamlText(s.Default))
	}
	return out.Bytes()
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

// yamlText writes a default; only the empty one would be misread without quotes.
func yamlText(text string) string {
	if text == "" {
		return `""`
	}
	return text
}

// wrap breaks text between words into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
