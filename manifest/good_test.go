package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// everySetting answers the references of testdata/good.txtar.
var everySetting = Inputs{
	Env: func(name string) (string, bool) {
		value, ok := map[string]string{"TAG": "1.36", "SECRET": "hush"}[name]
		return value, ok
	},
	Password: func(resource string) string { return "password-of-" + resource },
	HostPort: func(_ string, wished uint16) uint16 { return max(wished, 40000) },
	ReadFile: func(string) ([]byte, error) { return []byte("FROM_FILE=1\nA=overridden\n"), nil },
}

// What valid manifests mean: testdata/good.txtar has them, testdata/good.golden
// what they resolve to.
func TestResolve(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "good.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, file := range archive.Files {
		stack := mustResolve(t, filepath.Join("/project", file.Name), file.Data, everySetting)
		data, err := json.MarshalIndent(stack, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		shown, err := stack.YAML(false)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"hush", "password-of-"} {
			if bytes.Contains(shown, []byte(secret)) {
				t.Errorf("%s: the secret %q is shown:\n%s", file.Name, secret, shown)
			}
		}
		fmt.Fprintf(&all, "-- %s --\n%s\n-- %s, shown --\n%s", file.Name, data, file.Name, shown)
	}
	golden(t, "good.golden", all.Bytes())
}

func mustResolve(t testing.TB, name string, data []byte, in Inputs) *Stack {
	t.Helper()
	m, found := Parse(name, data)
	if m == nil || len(found) > 0 {
		t.Fatalf("%s: %v", name, found)
	}
	stack, found := m.Resolve(in)
	if stack == nil || len(found) > 0 {
		t.Fatalf("%s: %v", name, found)
	}
	return stack
}

func TestYAMLRevealsWhenAsked(t *testing.T) {
	stack := mustResolve(t, "f", []byte("project: {name: p}\nresources: {db: {postgres: {}}}\n"), everySetting)
	shown, err := stack.YAML(true)
	if err != nil || !bytes.Contains(shown, []byte("password-of-db")) {
		t.Errorf("YAML(true) = %s, %v", shown, err)
	}
}

// L19: any difference in what is to run is a difference in the hash, and in a
// part.
func TestL19HashAndPartsChangeWithEveryField(t *testing.T) {
	base := sdk.Spec{Labels: map[string]string{}}
	hash, parts := Hash(base), Parts(base)
	v := reflect.ValueOf(&base).Elem()
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		old := reflect.New(field.Type()).Elem()
		old.Set(field)
		change(field)
		if (Hash(base) == hash) != (name == "Pull") {
			t.Errorf("the hash with another %s is the same: %v", name, Hash(base) == hash)
		}
		constant := name == "Pull" || name == "Project" || name == "Resource" || name == "Name"
		if (Parts(base) == parts) != constant {
			t.Errorf("the parts with another %s: %q", name, Parts(base))
		}
		field.Set(old)
	}
	base.Labels[sdk.LabelHash], base.Labels[sdk.LabelParts] = "x", "y"
	if Hash(base) != hash || Parts(base) != parts {
		t.Error("the hash or the parts change with their own labels")
	}
}

// The label has to fit, and tells little of a secret.
func TestPartsAreShort(t *testing.T) {
	spec := sdk.Spec{Name: "p.a", Env: map[string]string{"KEY": "hush", "OTHER": "hush", "OPEN": "hush"}, SecretEnv: []string{"KEY", "OTHER"}}
	parts := SplitParts(Parts(spec))
	if len(parts["env.KEY"]) != secretPartLength || len(parts["env.OPEN"]) != partLength || parts["env.KEY"] == parts["env.OTHER"] {
		t.Errorf("the parts are %v", parts)
	}
	for i := range 1000 {
		spec.Env[fmt.Sprint("V", i)] = "x"
	}
	if label := Parts(spec); len(label) > partsLimit || SplitParts(label)["env"] == "" {
		t.Errorf("the label has %d bytes: %s", len(label), label)
	}
}

func FuzzSplitParts(f *testing.F) {
	f.Add("image=1,env.A=2")
	f.Add("=,%zz=,a=b=c")
	f.Fuzz(func(t *testing.T, label string) {
		if len(SplitParts(label)) > strings.Count(label, "=") {
			t.Error("more parts than pairs")
		}
	})
}

// L19: how a resource is restarted is applied by who runs it, and recreates
// nothing.
func TestL19RestartIsNoPartOfTheSpec(t *testing.T) {
	text := func(fields string) []byte {
		return []byte("project: {name: p}\nresources:\n  a: {redis: {}}\n  b: {redis: {" + fields + "}}\n")
	}
	before := mustResolve(t, "f", text(""), everySetting).Resources[1]
	after := mustResolve(t, "f", text("restart: on-failure:2, restart_with: [a]"), everySetting).Resources[1]
	if !reflect.DeepEqual(before.Spec, after.Spec) {
		t.Errorf("the spec changes with the restart policy: %+v", after.Spec)
	}
	if (after.Restart != sdk.RestartPolicy{Mode: sdk.RestartOnFailure, MaxRetries: 2}) || !reflect.DeepEqual(after.RestartWith, []string{"a"}) {
		t.Errorf("restart is %+v, with %v", after.Restart, after.RestartWith)
	}
}

// change gives a field another value than its zero.
func change(field reflect.Value) {
	switch field.Kind() {
	case reflect.String:
		field.SetString("changed")
	case reflect.Bool:
		field.SetBool(true)
	case reflect.Int, reflect.Int64:
		field.SetInt(1_000_000_000)
	case reflect.Uint16:
		field.SetUint(1)
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
	case reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), 1, 1))
	case reflect.Map:
		field.Set(reflect.MakeMap(field.Type()))
		field.SetMapIndex(reflect.ValueOf("changed"), reflect.ValueOf("changed"))
	case reflect.Struct:
		change(field.Field(0))
	default:
		panic("no other value for a " + field.Kind().String())
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o750); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "a", "lightshuttle.yaml")
	if err := os.WriteFile(want, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(deep); err != nil || got != want {
		t.Errorf("Find() = %s, %v; want %s", got, err, want)
	}
	if _, err := Find(t.TempDir()); err == nil || !strings.Contains(err.Error(), "lightshuttle.yml or lightshuttle.yaml") {
		t.Errorf("Find() of nothing = %v", err)
	}
}

func TestEnvReport(t *testing.T) {
	m, found := Parse("f", []byte(`project: {name: p}
resources:
  a:
    container:
      image: busybox:${env.TAG}
      env:
        B: ${env.MISSING}
        C: ${env.DEFAULTED:-x}
        D: ${env.TAG:-${env.UNNEEDED}}
        E: ${env.UNSET:-${env.NEEDED}}
`))
	if m == nil {
		t.Fatal(found)
	}
	refs := m.EnvReport(func(name string) (string, string, bool) {
		return "1.36", ".env", name == "TAG"
	})
	want := []EnvRef{
		{Name: "TAG", Source: ".env", Line: 5},
		{Name: "MISSING", Missing: true, Line: 7},
		{Name: "DEFAULTED", Default: true, Line: 8},
		{Name: "UNNEEDED", Line: 9},
		{Name: "UNSET", Default: true, Line: 10},
		{Name: "NEEDED", Missing: true, Line: 10},
	}
	if !reflect.DeepEqual(refs, want) {
		t.Errorf("EnvReport() = %+v\nwant %+v", refs, want)
	}
}

func TestSchemaIsInStep(t *testing.T) {
	path := "schema.json"
	if *update {
		if err := os.WriteFile(path, Schema(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Schema()) {
		t.Error("schema.json isn't what the types say: run go generate ./manifest")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"bad.txtar", "good.txtar"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, found := Parse("f", data)
		if m == nil && !found.HasErrors() {
			t.Fatal("refused without an error")
		}
		_ = found.String()
		if m == nil {
			return
		}
		stack, found := m.Resolve(everySetting)
		if stack == nil && !found.HasErrors() {
			t.Fatal("not resolved, without an error")
		}
		_ = found.String()
	})
}

func largeManifest(size int) []byte {
	var b strings.Builder
	b.WriteString("project: {name: large}\nresources:\n")
	for i := range size {
		fmt.Fprintf(&b, "  r%d:\n    container:\n      image: busybox:1.36\n      env: {A: b, N: \"%d\"}\n      ports: [\"0:80\"]\n", i, i)
		if i%10 > 0 {
			fmt.Fprintf(&b, "      depends_on: [r%d]\n      command: [echo, \"${resources.r%d.host}\"]\n", i-1, i-1)
		}
	}
	return []byte(b.String())
}

func BenchmarkParseAndResolve(b *testing.B) {
	for _, size := range []int{200, 10_000} {
		data := largeManifest(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				mustResolve(b, "f", data, everySetting)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/resource")
		})
	}
}

// L8: values are put in once, in every field that takes them; outputs are made
// of resolved values; dependents get them, and what the user wrote wins.
func TestL8OutputsAndInjection(t *testing.T) {
	stack := mustResolve(t, "f", []byte(`project: {name: p}
resources:
  db-main:
    postgres: {user: "${env.WHO}", password: "p@${env.WHO}", database: shop}
  app:
    container:
      image: ${env.IMAGE}
      working_dir: /home/${env.WHO}
      command: ["--db", "${resources.db-main.url}"]
      env: {LSH_DB_MAIN_PORT: mine, LITERAL: "${env.TRICKY}"}
`), Inputs{Env: func(name string) (string, bool) {
		value, ok := map[string]string{"WHO": "me", "IMAGE": "busybox:1.36", "TRICKY": "${env.WHO}"}[name]
		return value, ok
	}})
	spec := stack.Resources[1].Spec
	url := "postgres://me:p%40me@db-main:5432/shop"
	if spec.Image != "busybox:1.36" || spec.WorkingDir != "/home/me" || spec.Command[1] != url {
		t.Errorf("image %s, working_dir %s, command %v", spec.Image, spec.WorkingDir, spec.Command)
	}
	for name, want := range map[string]string{
		"LSH_DB_MAIN_URL": url, "LSH_DB_MAIN_USER": "me", "LSH_DB_MAIN_PASSWORD": "p@me",
		"LSH_DB_MAIN_PORT": "mine", "LITERAL": "${env.WHO}",
	} {
		if got := spec.Env[name]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if want := []string{"LSH_DB_MAIN_PASSWORD", "LSH_DB_MAIN_URL"}; !reflect.DeepEqual(spec.SecretEnv, want) {
		t.Errorf("secret variables %v, want %v", spec.SecretEnv, want)
	}
}
