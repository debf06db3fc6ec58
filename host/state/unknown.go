package state

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
)

// unknown are the fields of an object that this program knows nothing of. A
// newer one has written them, and is to find them again.
type unknown map[string]json.RawMessage

// decode fills known from data and returns what of it known has no field for.
func decode(data []byte, known any) (unknown, error) {
	if err := json.Unmarshal(data, known); err != nil {
		return nil, err
	}
	var all unknown
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for field := range reflect.TypeOf(known).Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		delete(all, name)
	}
	return all, nil
}

// encode is known as JSON, with the unknown fields.
func encode(known any, others unknown) ([]byte, error) {
	data, err := json.Marshal(known)
	if err != nil || len(others) == 0 {
		return data, err
	}
	var all unknown
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	merged := maps.Clone(others)
	maps.Copy(merged, all)
	return json.Marshal(merged)
}
