package manifest

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// decoder turns nodes into the types of model.go, by their tags.
type decoder struct {
	*reporter
	// visited bounds the work that aliases can make of a small file.
	visited int
	full    bool
}

const (
	visitLimit = 1 << 20
	depthLimit = 64
)

// pair is an entry of a YAML map, with aliases and merge keys resolved.
type pair struct {
	key, value *yaml.Node
	merged     bool
}

// fieldOf describes a field of a struct by its tags.
type fieldOf struct {
	name     string
	index    []int
	required bool
	enum     []string
}

// fieldCache has what fieldsOf found: a large manifest asks often.
var fieldCache sync.Map

func fieldsOf(t reflect.Type) []fieldOf {
	if known, ok := fieldCache.Load(t); ok {
		return known.([]fieldOf) //nolint:forcetypeassert // nothing else is stored
	}
	fields := findFields(t)
	fieldCache.Store(t, fields)
	return fields
}

func findFields(t reflect.Type) []fieldOf {
	var fields []fieldOf
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = slices.Concat([]int{i}, inner.index)
				fields = append(fields, inner)
			}
			continue
		}
		name := f.Tag.Get("field")
		if name == "" {
			continue
		}
		field := fieldOf{name: name, index: []int{i}, required: f.Tag.Get("required") == "true"}
		if enum := f.Tag.Get("enum"); enum != "" {
			field.enum = strings.Split(enum, ",")
		}
		fields = append(fields, field)
	}
	return fields
}

func (d *decoder) document(root *yaml.Node, doc *document) {
	if root.Kind != yaml.MappingNode {
		d.errorf(spanOf(root), "a manifest is a map with `project` and `resources`", "expected a map, found %s", describe(root))
		return
	}
	d.object(root, reflect.ValueOf(doc).Elem(), "the manifest", unknownWarns(plannedTopLevel), 0)
}

// unknown handles a field that a struct doesn't have.
type unknown func(d *decoder, key *yaml.Node, names []string, what string)

func unknownFails(planned []string) unknown {
	return func(d *decoder, key *yaml.Node, names []string, what string) {
		if slices.Contains(planned, key.Value) {
			d.errorf(spanOf(key), "", "`%s` is not supported yet", key.Value)
			return
		}
		d.errorf(spanOf(key), suggestOr(key.Value, names), "unknown field `%s` in %s", key.Value, what)
	}
}

func unknownWarns(planned []string) unknown {
	return func(d *decoder, key *yaml.Node, names []string, what string) {
		if slices.Contains(planned, key.Value) {
			d.errorf(spanOf(key), "", "`%s` is not supported yet", key.Value)
			return
		}
		d.warnf(spanOf(key), suggestOr(key.Value, names), "unknown field `%s` in %s is ignored", key.Value, what)
	}
}

// object decodes a map into a struct.
func (d *decoder) object(node *yaml.Node, into reflect.Value, what string, otherwise unknown, depth int) {
	fields := fieldsOf(into.Type())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	seen := map[string]bool{}
	for _, p := range d.pairs(node, depth) {
		at := slices.Index(names, p.key.Value)
		if at < 0 {
			otherwise(d, p.key, names, what)
			continue
		}
		seen[p.key.Value] = true
		f := fields[at]
		d.value(p.value, into.FieldByIndex(f.index), "`"+f.name+"`", depth+1)
		d.checkEnum(p.value, f)
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			d.errorf(spanOf(node), "", "%s needs `%s`", what, f.name)
		}
	}
}

func (d *decoder) checkEnum(node *yaml.Node, f fieldOf) {
	if len(f.enum) == 0 || node.Kind != yaml.ScalarNode || slices.Contains(f.enum, node.Value) {
		return
	}
	d.errorf(spanOf(node), suggestOr(node.Value, f.enum), "`%s` can't be %s", f.name, describe(node))
}

// pairs returns the entries of a map. A key that stands twice is an error; one
// that a merge key brings gives way to one that is written out.
func (d *decoder) pairs(node *yaml.Node, depth int) []pair {
	node = d.resolve(node)
	if depth > depthLimit {
		d.errorf(spanOf(node), "", "nested too deep")
		return nil
	}
	var pairs []pair
	at := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if !d.visit(key) {
			return nil
		}
		if key.Tag == "!!merge" {
			for _, p := range d.merged(value, depth+1) {
				if _, there := at[p.key.Value]; !there {
					at[p.key.Value] = len(pairs)
					pairs = append(pairs, pair{p.key, p.value, true})
				}
			}
			continue
		}
		if key.Kind != yaml.ScalarNode {
			d.errorf(spanOf(key), "", "a key must be plain text, found %s", describe(key))
			continue
		}
		before, there := at[key.Value]
		if there && !pairs[before].merged {
			d.errorf(spanOf(key), "", "`%s` stands here twice; it is also on line %d", key.Value, pairs[before].key.Line)
			continue
		}
		if there {
			pairs[before] = pair{key, d.resolve(value), false}
			continue
		}
		at[key.Value] = len(pairs)
		pairs = append(pairs, pair{key, d.resolve(value), false})
	}
	return pairs
}

// merged returns the entries that a merge key brings: those of a map, or of a
// list of maps.
func (d *decoder) merged(value *yaml.Node, depth int) []pair {
	value = d.resolve(value)
	switch value.Kind {
	case yaml.MappingNode:
		return d.pairs(value, depth)
	case yaml.SequenceNode:
		var all []pair
		for _, item := range value.Content {
			all = append(all, d.merged(item, depth+1)...)
		}
		return all
	}
	d.errorf(spanOf(value), "", "`<<` needs a map, found %s", describe(value))
	return nil
}

func (d *decoder) resolve(node *yaml.Node) *yaml.Node {
	for hops := 0; node.Kind == yaml.AliasNode && hops < depthLimit; hops++ {
		node = node.Alias
	}
	return node
}

// visit counts a node, and refuses to go on after too many.
func (d *decoder) visit(node *yaml.Node) bool {
	d.visited++
	if d.visited <= visitLimit {
		return true
	}
	if !d.full {
		d.full = true
		d.errorf(spanOf(node), "use fewer aliases", "the manifest is too large when its aliases are written out")
	}
	return false
}

// value decodes a node into a field of any of the language's types.
func (d *decoder) value(node *yaml.Node, into reflect.Value, what string, depth int) {
	node = d.resolve(node)
	if !d.visit(node) {
		return
	}
	switch target := into.Addr().Interface().(type) {
	case *Text:
		d.text(node, target, what)
	case *TextMap:
		d.textMap(node, target, what, depth)
	case *Names:
		d.names(node, target, what)
	case *Command:
		d.command(node, target, what)
	case *Flag:
		d.flag(node, target, what)
	case *Number:
		d.number(node, target, what)
	case *Period:
		d.period(node, target, what)
	case *Storage:
		d.storage(node, target, what)
	case *PortList:
		d.ports(node, target, what)
	case *ListenList:
		d.listens(node, target, what)
	case *Needs:
		d.needs(node, target, what, depth)
	case *Resources:
		d.resources(node, target, depth)
	case *Project:
		d.section(node, into, what, unknownWarns(nil), depth)
	case *Healthcheck:
		d.healthcheck(node, target, depth)
	case exportDecoder:
		target.decode(d, node, what, depth)
	default:
		d.section(node, into, what, unknownFails(nil), depth)
	}
}

// section decodes a map into a struct, or complains that it isn't a map.
func (d *decoder) section(node *yaml.Node, into reflect.Value, what string, otherwise unknown, depth int) bool {
	if isNull(node) && !into.Type().ConvertibleTo(reflect.TypeFor[Project]()) {
		return true // `redis:` alone is `redis: {}`
	}
	if node.Kind != yaml.MappingNode {
		d.errorf(spanOf(node), "", "%s must be a map, found %s", what, describe(node))
		return false
	}
	d.object(node, into, what, otherwise, depth)
	return true
}
