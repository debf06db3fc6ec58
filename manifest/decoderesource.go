package manifest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) needs(node *yaml.Node, into *Needs, what string, depth int) {
	switch {
	case isNull(node):
	case node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			if !d.visit(item) {
				return
			}
			var name Text
			d.text(d.resolve(item), &name, "an entry of "+what)
			if name.Set {
				*into = append(*into, Need{Resource: name.Value, Condition: Ready, At: name.At})
			}
		}
	case node.Kind == yaml.MappingNode:
		for _, p := range d.pairs(node, depth) {
			need := Need{Resource: p.key.Value, Condition: Ready, At: spanOf(p.key)}
			d.condition(p.value, &need, depth+1)
			*into = append(*into, need)
		}
	default:
		d.errorf(spanOf(node), "write it as a list of names: [db]", "%s must be a list or a map, found %s", what, describe(node))
	}
}

// condition is the value in the long form of depends_on.
type condition struct {
	Condition Text `field:"condition" enum:"started,healthy,completed" default:"ready" interpolate:"no" doc:"How far it must have come."`
}

func (d *decoder) condition(node *yaml.Node, need *Need, depth int) {
	if node = d.resolve(node); node.Kind == yaml.ScalarNode && !isNull(node) {
		d.errorf(spanOf(node), "write it as `{condition: healthy}`", "the dependency on `%s` must be a map, found %s", need.Resource, describe(node))
		return
	}
	var long condition
	d.section(node, reflect.ValueOf(&long).Elem(), "the dependency on `"+need.Resource+"`", unknownFails(nil), depth)
	if long.Condition.Set {
		need.Condition = Condition(long.Condition.Value)
	}
}

func (d *decoder) resources(node *yaml.Node, into *Resources, depth int) {
	if node.Kind != yaml.MappingNode {
		d.errorf(spanOf(node), "", "`resources` must be a map of names to resources, found %s", describe(node))
		return
	}
	for _, p := range d.pairs(node, depth) {
		resource := &Resource{Name: p.key.Value, At: spanOf(p.key)}
		if d.resource(p.value, resource, depth+1) {
			*into = append(*into, resource)
		}
	}
}

// besideKind returns the only kind among the keys of a resource, and the first key
// beside it, if there is one.
func besideKind(pairs []pair, kinds []string) (kind string, stray *yaml.Node) {
	found := 0
	for _, p := range pairs {
		if slices.Contains(kinds, p.key.Value) {
			kind = p.key.Value
			found++
		} else if stray == nil {
			stray = p.key
		}
	}
	if found != 1 {
		return "", nil
	}
	return kind, stray
}

func (d *decoder) resource(node *yaml.Node, into *Resource, depth int) bool {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.name
	}
	expected := "a resource is one kind with its fields: " + strings.Join(names, ", ")
	if node.Kind != yaml.MappingNode {
		d.errorf(spanOf(node), expected, "resource `%s` must be a map, found %s", into.Name, describe(node))
		return false
	}
	pairs := d.pairs(node, depth)
	if kind, stray := besideKind(pairs, names); stray != nil {
		hint := fmt.Sprintf("fields belong inside of the kind: indent it, below `%s`", kind)
		d.errorf(spanOf(stray), hint, "`%s` stands beside `%s`, the kind of resource `%s`", stray.Value, kind, into.Name)
		return false
	}
	if len(pairs) != 1 {
		d.errorf(into.At, expected, "resource `%s` must have exactly one kind, found %d", into.Name, len(pairs))
		return false
	}
	key, value := pairs[0].key, pairs[0].value
	at := slices.Index(names, key.Value)
	if at < 0 && slices.Contains(plannedKinds, key.Value) {
		d.errorf(spanOf(key), "", "kind `%s` is not supported yet", key.Value)
		return false
	}
	if at < 0 {
		d.errorf(spanOf(key), suggestOr(key.Value, names), "unknown kind `%s` of resource `%s`", key.Value, into.Name)
		return false
	}
	into.Kind = key.Value
	fields := reflect.ValueOf(kinds[at].of(into)).Elem()
	what := kinds[at].name + " `" + into.Name + "`"
	ok := d.section(value, fields, what, unknownFails(plannedFields), depth)
	d.needsFields(value, fields, what)
	return ok
}

// needsFields reports the required fields of a kind that was given without any.
func (d *decoder) needsFields(node *yaml.Node, fields reflect.Value, what string) {
	if !isNull(node) {
		return
	}
	for _, f := range fieldsOf(fields.Type()) {
		if f.required {
			d.errorf(spanOf(node), "", "%s needs `%s`", what, f.name)
		}
	}
}

func (d *decoder) healthcheck(node *yaml.Node, into *Healthcheck, depth int) {
	at := spanOf(node)
	if !d.section(node, reflect.ValueOf(into).Elem(), "`healthcheck`", unknownFails(nil), depth) || isNull(node) {
		return
	}
	into.Given = true
	into.At = at
	for _, p := range d.pairs(node, depth) {
		switch p.key.Value {
		case "http":
			into.HTTP.Given = true
		case "tcp":
			into.TCP.Given = true
		case "log":
			into.Log.Given = true
		}
	}
}

// exportDecoder is ExportResources of any type.
type exportDecoder interface {
	decode(d *decoder, node *yaml.Node, what string, depth int)
}

func (e *ExportResources[T]) decode(d *decoder, node *yaml.Node, what string, depth int) {
	if node.Kind != yaml.MappingNode {
		d.errorf(spanOf(node), "", "%s must be a map, found %s", what, describe(node))
		return
	}
	for _, p := range d.pairs(node, depth) {
		one := ExportResource[T]{Name: p.key.Value, At: spanOf(p.key)}
		d.section(p.value, reflect.ValueOf(&one.Settings).Elem(), "`"+one.Name+"`", unknownFails(nil), depth)
		*e = append(*e, one)
	}
}
