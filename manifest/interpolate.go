package manifest

import (
	"errors"
	"fmt"
	"strings"
)

// nestingLimit bounds defaults within defaults.
const nestingLimit = 10

// template is a parsed text: literal pieces and references, in order.
type template []part

// part is a literal, or a reference when ref is set.
type part struct {
	literal string
	ref     *variable
}

// variable is `${env.NAME}`, `${env.NAME:-default}` or
// `${resources.name.property}`.
type variable struct {
	// env is the variable's name; empty for an output of a resource.
	env                string
	resource, property string
	// fallback is the default; hasFallback tells an empty one from none.
	fallback    template
	hasFallback bool
}

// templateError says what is wrong, and where in the text (in bytes).
type templateError struct {
	offset, length int
	text           string
}

func (e *templateError) Error() string { return e.text }

// parseTemplate reads a text with references. `${{ x }}` stands for a literal
// `${ x }`; a `$` that isn't followed by `{` is itself.
func parseTemplate(text string) (template, error) { return parseTemplateAt(text, 0, 0) }

func parseTemplateAt(text string, base, depth int) (template, error) {
	if depth > nestingLimit {
		return nil, &templateError{base, len(text), fmt.Sprintf("defaults are nested more than %d deep", nestingLimit)}
	}
	var result template
	at := 0
	for {
		begin := strings.Index(text[at:], "${")
		if begin < 0 {
			return appendLiteral(result, text[at:]), nil
		}
		result = appendLiteral(result, text[at:at+begin])
		at += begin
		if strings.HasPrefix(text[at:], "${{") {
			end := strings.Index(text[at:], "}}")
			if end < 0 {
				return nil, &templateError{base + at, len(text) - at, "`${{` is never closed by `}}`"}
			}
			result = appendLiteral(result, "${"+text[at+3:at+end]+"}")
			at += end + 2
			continue
		}
		end := closing(text[at+2:])
		if end < 0 {
			return nil, &templateError{base + at, len(text) - at, "`${` is never closed by `}`"}
		}
		body := text[at+2 : at+2+end]
		ref, err := parseReference(body, base+at+2, depth)
		if err != nil {
			return nil, err
		}
		result = append(result, part{ref: ref})
		at += 2 + end + 1
	}
}

func appendLiteral(t template, text string) template {
	if text == "" {
		return t
	}
	return append(t, part{literal: text})
}

// closing finds the brace that closes a reference, past those inside it.
func closing(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "${"):
			depth++
			i++
		case text[i] == '}' && depth == 0:
			return i
		case text[i] == '}':
			depth--
		}
	}
	return -1
}

func parseReference(body string, base, depth int) (*variable, error) {
	name, fallback, hasFallback := strings.Cut(body, ":-")
	if strings.Contains(name, "${") {
		return nil, &templateError{base, len(name), "`${…}` may only be nested in a default"}
	}
	scheme, rest, _ := strings.Cut(name, ".")
	switch scheme {
	case "env":
		if !isVariable(rest) {
			return nil, &templateError{base, len(name), fmt.Sprintf("`%s` is not a variable's name: write ${env.NAME} or ${env.NAME:-default}", rest)}
		}
		ref := &variable{env: rest, hasFallback: hasFallback}
		var err error
		ref.fallback, err = parseTemplateAt(fallback, base+len(name)+2, depth+1)
		return ref, err
	case "resources":
		resource, property, ok := strings.Cut(rest, ".")
		if !ok || resource == "" || property == "" {
			return nil, &templateError{base, len(name), "write ${resources.name.property}"}
		}
		if hasFallback {
			return nil, &templateError{base, len(body), "an output always has a value, so it takes no default"}
		}
		return &variable{resource: resource, property: property}, nil
	case "secret", "secrets":
		return nil, &templateError{base, len(name), "`${secret.…}` is not supported yet: write ${env.NAME}"}
	}
	return nil, &templateError{base, len(name), fmt.Sprintf("unknown reference `%s`: write ${env.NAME} or ${resources.name.property}, or ${{ … }} for the text itself", name)}
}

// isVariable says whether name can name an environment variable.
func isVariable(name string) bool {
	if name == "" {
		return false
	}
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		digit := r >= '0' && r <= '9'
		if !letter && (!digit || i == 0) {
			return false
		}
	}
	return true
}

// lookups answer the references of a template.
type lookups struct {
	// env returns a variable's value; an empty one counts as unset.
	env func(name string) (string, bool)
	// output returns an output of a resource, and whether it is secret.
	output func(resource, property string) (value string, secret bool, err error)
}

// missingError is a variable that is needed and not set.
type missingError struct{ name string }

func (e *missingError) Error() string { return fmt.Sprintf("the variable %s is not set", e.name) }

// evaluate puts the values in. A default is only looked at when it is needed,
// so a variable in a default that isn't used may be unset.
func (t template) evaluate(l lookups) (value string, secret bool, err error) {
	var b strings.Builder
	var errs []error
	for _, p := range t {
		if p.ref == nil {
			b.WriteString(p.literal)
			continue
		}
		text, isSecret, err := p.ref.evaluate(l)
		if err != nil {
			errs = append(errs, err)
		}
		secret = secret || isSecret
		b.WriteString(text)
	}
	return b.String(), secret, errors.Join(errs...)
}

func (r *variable) evaluate(l lookups) (string, bool, error) {
	if r.env == "" {
		return l.output(r.resource, r.property)
	}
	if value, ok := l.env(r.env); ok && value != "" {
		return value, false, nil
	}
	if r.hasFallback {
		return r.fallback.evaluate(l)
	}
	return "", false, &missingError{r.env}
}

// references calls visit for each reference, those in defaults included.
func (t template) references(visit func(*variable)) {
	for _, p := range t {
		if p.ref == nil {
			continue
		}
		visit(p.ref)
		p.ref.fallback.references(visit)
	}
}
