package manifest

import "reflect"

// texts calls visit for every text of a struct in which `${…}` has a meaning.
// What is scanned for dependencies and what is resolved are the same texts.
func texts(of any, visit func(*Text)) {
	walkTexts(reflect.ValueOf(of).Elem(), visit)
}

func walkTexts(v reflect.Value, visit func(*Text)) {
	if text, ok := v.Addr().Interface().(*Text); ok {
		if text.Set {
			visit(text)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() || field.Tag.Get("interpolate") == "no" {
				continue
			}
			walkTexts(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkTexts(v.Index(i), visit)
		}
	default:
	}
}
