package manifest

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var someValues = lookups{
	env: func(name string) (string, bool) {
		value, ok := map[string]string{"A": "a", "EMPTY": "", "TRICK": "${env.A}"}[name]
		return value, ok
	},
	output: func(resource, property string) (string, bool, error) {
		return resource + "/" + property, property == "password", nil
	},
}

func TestEvaluate(t *testing.T) {
	tests := []struct {
		text, want string
		secret     bool
	}{
		{"plain $x $ {} }", "plain $x $ {} }", false},
		{"${env.A}-${env.A}", "a-a", false},
		{"${env.EMPTY:-fallback}", "fallback", false},
		{"${env.NO:-${env.NEITHER:-${env.A}!}}", "a!", false},
		{"${env.NO:-}", "", false},
		{"${env.A:-${env.NO}}", "a", false},
		{"${{ env.A }} and ${{x}}", "${ env.A } and ${x}", false},
		{"${resources.db.host}", "db/host", false},
		{"x${resources.db.password}y", "xdb/passwordy", true},
		{"${env.TRICK}", "${env.A}", false},
	}
	for _, test := range tests {
		parsed, err := parseTemplate(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		got, secret, err := parsed.evaluate(someValues)
		if err != nil || got != test.want || secret != test.secret {
			t.Errorf("%q = %q, secret %v, %v; want %q, secret %v", test.text, got, secret, err, test.want, test.secret)
		}
	}
}

// A text without references is itself.
func TestLiteralsPassUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ReplaceAll(rapid.String().Draw(t, "text"), "${", "$")
		parsed, err := parseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := parsed.evaluate(someValues); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestDefaultsCanNotBeNestedForEver(t *testing.T) {
	text := strings.Repeat("${env.X:-", 50) + strings.Repeat("}", 50)
	if _, err := parseTemplate(text); err == nil || !strings.Contains(err.Error(), "nested more than 10 deep") {
		t.Errorf("parseTemplate() = %v", err)
	}
}

func FuzzInterpolate(f *testing.F) {
	for _, seed := range []string{"", "${env.A}", "${env.A:-${env.B:-x}}", "${{ a }}", "${resources.a.b}", "${", "$${{}", "${env.A:-}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseTemplate(text)
		if err != nil {
			e, ok := err.(*templateError)
			if !ok || e.offset < 0 || e.length < 0 || e.offset+e.length > len(text) {
				t.Fatalf("%q: the error points outside of the text: %+v", text, err)
			}
			return
		}
		_, _, _ = parsed.evaluate(someValues)
	})
}

func FuzzEnvFile(f *testing.F) {
	f.Add([]byte("A=1\nexport B='x'\n"))
	f.Add([]byte("\ufeff=\n\"\n'"))
	f.Fuzz(func(t *testing.T, data []byte) {
		vars, _ := ParseEnvFile(".env", data)
		for _, v := range vars {
			if !isVariable(v.Name) {
				t.Fatalf("%q isn't the name of a variable", v.Name)
			}
		}
	})
}
