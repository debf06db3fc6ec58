package config

import (
	"maps"
	"slices"
	"strings"
)

// testPrefix begins the variables that steer the tests of the program.
const testPrefix = envPrefix + "TEST_"

func (l *loader) environ(environ []string) {
	variables := variablesOf(environ)
	var values []value
	for _, s := range table {
		if text := variables[s.Env()]; text != "" {
			values = append(values, value{setting: s, text: text, origin: Origin{Source: SourceEnv, Name: s.Env()}})
		}
		delete(variables, s.Env())
	}
	l.add(values)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if strings.HasPrefix(name, envPrefix) && !strings.HasPrefix(name, testPrefix) {
			l.warnings = append(l.warnings, Warning{
				Origin:     Origin{Source: SourceEnv, Name: name},
				Message:    "there is no such setting, so it is ignored",
				Suggestion: suggestVariable(name),
			})
		}
	}
}

// suggestVariable compares without the prefix, which would make all names alike.
func suggestVariable(name string) string {
	names := make([]string, len(table))
	for i, s := range table {
		names[i] = strings.TrimPrefix(s.Env(), envPrefix)
	}
	near := closest(strings.TrimPrefix(name, envPrefix), names)
	if near == "" {
		return ""
	}
	return envPrefix + near
}
