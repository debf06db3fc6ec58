package manifest

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

//go:generate go test . -run TestSchemaIsInStep -update

// Schema returns the JSON Schema (draft 2020-12) of a manifest, made from the
// types of the language. Editors use it to complete and to check.
func Schema() []byte {
	root := structSchema(reflect.TypeFor[document](), true)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "LightShuttle manifest, v0"
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // the schema is made of plain values
	}
	return append(data, '\n')
}

type schema = map[string]any

// structSchema is the schema of a struct of the language. Open ones take fields
// that nobody knows, with a warning.
func structSchema(t reflect.Type, open bool) schema {
	properties := schema{}
	var required []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			inner := structSchema(f.Type, false)
			maps.Copy(properties, inner["properties"].(schema)) //nolint:forcetypeassert // it was made right here
			continue
		}
		name := f.Tag.Get("field")
		if name == "" {
			continue
		}
		properties[name] = fieldSchema(f)
		if f.Tag.Get("required") == "true" {
			required = append(required, name)
		}
	}
	result := schema{"type": "object", "properties": properties, "additionalProperties": open}
	if len(required) > 0 {
		result["required"] = required
	}
	return result
}

func fieldSchema(f reflect.StructField) schema {
	s := typeSchema(f.Type)
	if doc := f.Tag.Get("doc"); doc != "" {
		s["description"] = doc
		if given := f.Tag.Get("default"); given != "" {
			s["description"] = doc + " Default: " + given + "."
		}
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		delete(s, "type")
		s["enum"] = strings.Split(enum, ",")
	}
	if pattern := f.Tag.Get("pattern"); pattern != "" {
		s["type"] = "string"
		s["pattern"] = pattern
	}
	return s
}

var scalar = []string{"string", "number", "boolean"}

func listOf(item schema) schema { return schema{"type": "array", "items": item} }

// typeSchema is the form that a type of the language has in a file.
func typeSchema(t reflect.Type) schema {
	text := schema{"type": scalar}
	switch reflect.Zero(t).Interface().(type) {
	case Text:
		return text
	case TextMap:
		return schema{"type": "object", "additionalProperties": schema{"type": append(slices.Clone(scalar), "null")}}
	case Names:
		return schema{"anyOf": []schema{text, listOf(text)}}
	case Command:
		return schema{"anyOf": []schema{{"type": "string"}, listOf(text)}}
	case Flag:
		return schema{"type": "boolean"}
	case Number:
		return schema{"type": "integer", "minimum": 0}
	case Period:
		return schema{"type": []string{"string", "integer"}, "examples": []string{"500ms", "10s", "1m30s"}}
	case Storage:
		return schema{"type": []string{"boolean", "string"}}
	case PortList:
		return listOf(schema{"type": []string{"string", "integer"}, "examples": []any{8080, "8080:80", "127.0.0.1:8080:80"}})
	case ListenList:
		return listOf(schema{"type": []string{"string", "integer"}, "examples": []any{8080, 0, "0.0.0.0:8080"}})
	case Needs:
		long := schema{"type": "object", "additionalProperties": nullable(structSchema(reflect.TypeFor[condition](), false))}
		return schema{"anyOf": []schema{listOf(schema{"type": "string"}), long}}
	case Resources:
		return schema{"type": "object", "propertyNames": schema{"pattern": namePattern.String()}, "additionalProperties": resourceSchema()}
	case Project:
		return structSchema(t, true)
	}
	if t.Kind() == reflect.Slice { // settings by the name of a resource
		field, _ := t.Elem().FieldByName("Settings")
		return schema{"type": "object", "additionalProperties": structSchema(field.Type, false)}
	}
	return structSchema(t, false)
}

func nullable(s schema) schema {
	s["type"] = []string{"object", "null"}
	return s
}

// resourceSchema is a map with exactly one kind.
func resourceSchema() schema {
	properties := schema{}
	for _, kind := range kinds {
		fields := structSchema(reflect.TypeOf(kind.of(&Resource{})).Elem(), false)
		if fields["required"] == nil {
			nullable(fields)
		}
		fields["description"] = kind.doc
		properties[kind.name] = fields
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1}
}
