package manifest

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) text(node *yaml.Node, into *Text, what string) {
	if node.Kind != yaml.ScalarNode {
		d.errorf(spanOf(node), "", "%s must be text, found %s", what, describe(node))
		return
	}
	if isNull(node) {
		return
	}
	*into = Text{Value: node.Value, At: spanOf(node), Set: true}
}

func (d *decoder) textMap(node *yaml.Node, into *TextMap, what string, depth int) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.errorf(spanOf(node), "write it as `NAME: value`", "%s must be a map, found %s", what, describe(node))
		return
	}
	for _, p := range d.pairs(node, depth) {
		entry := Entry{Key: p.key.Value, KeyAt: spanOf(p.key)}
		d.text(p.value, &entry.Value, "`"+entry.Key+"`")
		if entry.Key == "" {
			d.errorf(entry.KeyAt, "", "a name in %s is empty", what)
			continue
		}
		*into = append(*into, entry)
	}
}

func (d *decoder) names(node *yaml.Node, into *Names, what string) {
	if isNull(node) {
		return
	}
	if node.Kind == yaml.ScalarNode {
		var one Text
		d.text(node, &one, what)
		*into = Names{one}
		return
	}
	if node.Kind != yaml.SequenceNode {
		d.errorf(spanOf(node), "", "%s must be a list, found %s", what, describe(node))
		return
	}
	for _, item := range node.Content {
		if !d.visit(item) {
			return
		}
		var one Text
		d.text(d.resolve(item), &one, "an entry of "+what)
		if one.Value == "" {
			d.errorf(spanOf(item), "", "an entry of %s is empty", what)
			continue
		}
		*into = append(*into, one)
	}
}

func (d *decoder) command(node *yaml.Node, into *Command, what string) {
	if isNull(node) {
		return
	}
	into.At = spanOf(node)
	if node.Kind == yaml.ScalarNode {
		var one Text
		d.text(node, &one, what)
		*into = Command{Args: []Text{one}, Shell: true, Set: true, At: into.At}
		return
	}
	if node.Kind != yaml.SequenceNode {
		d.errorf(spanOf(node), "", "%s must be a string or a list, found %s", what, describe(node))
		return
	}
	into.Set = true
	for _, item := range node.Content {
		if !d.visit(item) {
			return
		}
		one := Text{At: spanOf(item), Set: true}
		d.text(d.resolve(item), &one, "an entry of "+what)
		into.Args = append(into.Args, one)
	}
}

func (d *decoder) flag(node *yaml.Node, into *Flag, what string) {
	value, ok := boolean(node)
	if !ok {
		d.errorf(spanOf(node), "", "%s must be true or false, found %s", what, describe(node))
		return
	}
	*into = Flag{Value: value, Set: true, At: spanOf(node)}
}

func boolean(node *yaml.Node) (value, ok bool) {
	if node.Kind != yaml.ScalarNode || node.Tag != "!!bool" {
		return false, false
	}
	value, err := strconv.ParseBool(strings.ToLower(node.Value))
	return value, err == nil
}

func (d *decoder) number(node *yaml.Node, into *Number, what string) {
	value, err := strconv.ParseInt(node.Value, 10, 64)
	if node.Kind != yaml.ScalarNode || err != nil || value < 0 || value > math.MaxInt32 {
		d.errorf(spanOf(node), "", "%s must be a whole number, found %s", what, describe(node))
		return
	}
	*into = Number{Value: value, Set: true, At: spanOf(node)}
}

func (d *decoder) period(node *yaml.Node, into *Period, what string) {
	if node.Kind != yaml.ScalarNode {
		d.errorf(spanOf(node), "", "%s must be a duration such as 10s, found %s", what, describe(node))
		return
	}
	value, err := ParseDuration(node.Value)
	if err != nil {
		d.errorf(spanOf(node), "write it as 500ms, 10s or 1m30s", "%s: %v", what, err)
		return
	}
	*into = Period{Value: value, Set: true, At: spanOf(node)}
}

func (d *decoder) storage(node *yaml.Node, into *Storage, what string) {
	if value, ok := boolean(node); ok {
		*into = Storage{Keep: value, Given: true}
		return
	}
	var name Text
	d.text(node, &name, what)
	if name.Set {
		*into = Storage{Name: name, Keep: true, Given: true}
	}
}

func (d *decoder) ports(node *yaml.Node, into *PortList, what string) {
	*into = d.portList(node, what, ParsePort, `["8080:80"]`, `8080, "8080:80" or "127.0.0.1:8080:80"`)
}

func (d *decoder) listens(node *yaml.Node, into *ListenList, what string) {
	*into = d.portList(node, what, ParseListen, "[8080]", `8080, 0 for a free one, or "0.0.0.0:8080"`)
}

func (d *decoder) portList(node *yaml.Node, what string, parse func(string) (Port, error), list, forms string) (ports []PublishedPort) {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		d.errorf(spanOf(node), "write it as a list: "+list, "%s must be a list, found %s", what, describe(node))
		return nil
	}
	for _, item := range node.Content {
		if !d.visit(item) {
			return ports
		}
		item = d.resolve(item)
		if item.Kind != yaml.ScalarNode {
			d.errorf(spanOf(item), "", "a port must be text or a number, found %s", describe(item))
			continue
		}
		port, err := parse(item.Value)
		if err != nil {
			d.errorf(spanOf(item), "write it as "+forms, "%v", err)
			continue
		}
		ports = append(ports, PublishedPort{Port: port, At: spanOf(item)})
	}
	return ports
}
