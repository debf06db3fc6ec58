package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/viper"
)

// Load reads all sources. On failure the error is an [*Error] with everything
// that is wrong. The warnings are valid in either case.
func Load(sources Sources) (*Settings, []Warning, error) {
	l := &loader{merged: viper.New(), winners: map[string]value{}}
	l.defaults()
	for _, f := range sources.files() {
		l.file(f)
	}
	l.environ(sources.Environ)
	l.flags(sources.Flags)
	if len(l.problems) > 0 {
		return nil, l.warnings, &Error{Problems: l.problems}
	}
	settings, err := l.settings()
	return settings, l.warnings, err
}

// loader collects the values of one source after the other, the weakest first,
// and what is wrong with them.
type loader struct {
	merged *viper.Viper
	// winners holds the strongest value so far of each key.
	winners  map[string]value
	problems []*Problem
	warnings []Warning
}

// value is what one source says about one setting.
type value struct {
	setting Setting
	text    string
	origin  Origin
}

// add takes the values of a source that is stronger than those before. A value
// that is wrong is reported even if a stronger source replaces it: it is wrong
// in its place all the same.
func (l *loader) add(values []value) {
	layer := viper.New()
	for _, v := range values {
		typed, ok := v.setting.kind.parse(v.text)
		if !ok {
			l.problems = append(l.problems, wrongValue(v))
			continue
		}
		layer.Set(v.setting.Key, typed)
		l.winners[v.setting.Key] = v
	}
	// Nothing is read or decoded here: the error is always nil.
	_ = l.merged.MergeConfigMap(layer.AllSettings())
}

func (l *loader) defaults() {
	values := make([]value, len(table))
	for i, s := range table {
		values[i] = value{setting: s, text: s.Default, origin: Origin{Source: SourceDefault}}
	}
	l.add(values)
}

func (l *loader) flags(flags map[string]string) {
	var values []value
	for _, s := range table {
		if text, given := flags[s.Flag]; given && s.Flag != "" {
			values = append(values, value{setting: s, text: text, origin: Origin{Source: SourceFlag, Name: s.Flag}})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		if !slices.ContainsFunc(table, func(s Setting) bool { return s.Flag == name }) {
			l.problems = append(l.problems, &Problem{
				Origin: Origin{Source: SourceFlag, Name: name}, Message: "this flag doesn't belong to a setting",
			})
		}
	}
	l.add(values)
}

// settings decodes the merged values. A failure means that the table and the
// struct differ, since the values were checked before.
func (l *loader) settings() (*Settings, error) {
	settings := &Settings{}
	if err := l.merged.UnmarshalExact(settings); err != nil {
		return nil, fmt.Errorf("config: decoding: %w", err)
	}
	for _, s := range table {
		winner := l.winners[s.Key]
		settings.entries = append(settings.entries, Entry{Key: s.Key, Value: winner.text, Origin: winner.origin, Doc: s.Doc})
	}
	return settings, nil
}

// wrongValue is the problem of a value that its setting doesn't take.
func wrongValue(v value) *Problem {
	p := &Problem{Origin: v.origin, Message: fmt.Sprintf("expected %s, got %s", v.setting.kind.expected, quote(v.text))}
	// The name of a flag or of a variable says it already.
	if v.origin.Source == SourceFile {
		p.Message = v.setting.Key + ": " + p.Message
	}
	if s := v.setting.kind.suggest(v.text); s != "" {
		p.Suggestion = quote(s)
	}
	return p
}
