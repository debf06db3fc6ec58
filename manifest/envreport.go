package manifest

// EnvRef is a variable that the manifest refers to.
type EnvRef struct {
	Name string `json:"name"`
	// Source says where its value comes from; empty if it isn't set.
	Source string `json:"source,omitempty"`
	// Default says that a default counts where it isn't set.
	Default bool `json:"default,omitempty"`
	// Missing says that it isn't set, needed, and has no default.
	Missing bool `json:"missing,omitempty"`
	Line    int  `json:"line"`
}

// EnvReport lists every variable that the manifest refers to, in the order of
// the file, each once with its worst case. It evaluates as Resolve does: a
// variable in a default that isn't needed isn't missing.
func (m *Manifest) EnvReport(env func(name string) (value, source string, ok bool)) []EnvRef {
	report := &envReport{env: env, at: map[string]int{}}
	for _, r := range m.Resources {
		texts(r.fields(), func(t *Text) {
			parsed, err := parseTemplate(t.Value)
			if err == nil { // Parse has refused all others
				report.template(parsed, t.At.Line, true)
			}
		})
	}
	return report.refs
}

type envReport struct {
	env  func(name string) (value, source string, ok bool)
	refs []EnvRef
	at   map[string]int
}

// template notes the variables of a template; needed says whether its value is.
func (r *envReport) template(t template, line int, needed bool) {
	for _, p := range t {
		if p.ref == nil || p.ref.env == "" {
			continue
		}
		value, source, ok := r.env(p.ref.env)
		set := ok && value != ""
		ref := EnvRef{Name: p.ref.env, Line: line, Default: p.ref.hasFallback && !set, Missing: needed && !set && !p.ref.hasFallback}
		if set {
			ref.Source = source
		}
		r.note(ref)
		r.template(p.ref.fallback, line, needed && !set)
	}
}

func (r *envReport) note(ref EnvRef) {
	at, known := r.at[ref.Name]
	if !known {
		r.at[ref.Name] = len(r.refs)
		r.refs = append(r.refs, ref)
		return
	}
	before := &r.refs[at]
	before.Missing = before.Missing || ref.Missing
	before.Default = (before.Default || ref.Default) && !before.Missing
}
