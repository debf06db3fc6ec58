package manifest

import (
	"math"
	"reflect"
	"slices"
	"strconv"
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
	if isNull(node) {
		return
	}
	if node.Kind != yaml.SequenceNode {
		d.errorf(spanOf(node), "write it as a list: [\"8080:80\"]", "%s must be a list, found %s", what, describe(node))
		return
	}
	for _, item := range node.Content {
		if !d.visit(item) {
			return
		}
		item = d.resolve(item)
		if item.Kind != yaml.ScalarNode {
			d.errorf(spanOf(item), "", "a port must be text or a number, found %s", describe(item))
			continue
		}
		port, err := ParsePort(item.Value)
		if err != nil {
			d.errorf(spanOf(item), "write it as 8080, \"8080:80\" or \"127.0.0.1:8080:80\"", "%v", err)
			continue
		}
		*into = append(*into, PublishedPort{Port: port, At: spanOf(item)})
	}
}

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
