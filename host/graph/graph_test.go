package graph

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name  string
		nodes []Node
		want  string
	}{
		{"a cycle of two", []Node{{"a", []string{"b"}}, {"b", []string{"a"}}}, "dependency cycle: a -> b -> a"},
		{"a self reference", []Node{{"a", []string{"a"}}}, "dependency cycle: a -> a"},
		{
			"a cycle behind a tail",
			[]Node{{"tail", []string{"x"}}, {"x", []string{"y"}}, {"y", []string{"z"}}, {"z", []string{"x"}}},
			"dependency cycle: x -> y -> z -> x",
		},
		{"an unknown dependency", []Node{{"a", []string{"b"}}}, `"a" depends on "b", which doesn't exist`},
		{"a name twice", []Node{{Name: "a"}, {Name: "a"}}, `"a" is given twice`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(test.nodes)
			if err == nil || err.Error() != test.want {
				t.Fatalf("New() error = %v, want %q", err, test.want)
			}
		})
	}
}

func TestOrderKeepsTheGivenOrderWhereItCan(t *testing.T) {
	g, err := New([]Node{{"app", []string{"db", "cache", "db"}}, {Name: "db"}, {Name: "cache"}, {"web", []string{"app"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.namesOf(g.Order()), []string{"db", "cache", "app", "web"}; !slices.Equal(got, want) {
		t.Errorf("Order() = %v, want %v", got, want)
	}
	app, _ := g.Index("app")
	if got, want := g.namesOf(g.Dependencies(app)), []string{"db", "cache"}; !slices.Equal(got, want) {
		t.Errorf("Dependencies(app) = %v, want %v", got, want)
	}
}

func TestClosure(t *testing.T) {
	g, err := New([]Node{{"web", []string{"app"}}, {"app", []string{"db"}}, {Name: "db"}, {Name: "other"}})
	if err != nil {
		t.Fatal(err)
	}
	needed, err := g.Closure("app")
	if err != nil {
		t.Fatal(err)
	}
	if want := []bool{false, true, true, false}; !slices.Equal(needed, want) {
		t.Errorf("Closure(app) = %v, want %v", needed, want)
	}
	if _, err := g.Closure("nobody"); err == nil || err.Error() != `there is no "nobody"` {
		t.Errorf("Closure(nobody) error = %v", err)
	}
}

// Any graph is either ordered so that dependencies come first, or refused with
// a cycle that really is one.
func TestOrderOrCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 12).Draw(t, "size")
		nodes := make([]Node, size)
		for i := range nodes {
			nodes[i].Name = fmt.Sprint(i)
			for _, d := range rapid.SliceOfN(rapid.IntRange(0, size-1), 0, 3).Draw(t, "deps") {
				nodes[i].DependsOn = append(nodes[i].DependsOn, fmt.Sprint(d))
			}
		}
		g, err := New(nodes)
		if cycle, ok := errors.AsType[*CycleError](err); ok {
			checkCycle(t, nodes, cycle.Path)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		position := make([]int, size)
		for at, i := range g.Order() {
			position[i] = at
		}
		for i := range nodes {
			for _, d := range g.Dependencies(i) {
				if position[d] >= position[i] {
					t.Fatalf("%d comes before its dependency %d", i, d)
				}
				if !slices.Contains(g.Dependents(d), i) {
					t.Fatalf("%d isn't among the dependents of %d", i, d)
				}
			}
		}
	})
}

func checkCycle(t *rapid.T, nodes []Node, path []string) {
	if len(path) < 2 || path[0] != path[len(path)-1] {
		t.Fatalf("not a cycle: %v", path)
	}
	for i, name := range path[:len(path)-1] {
		at := slices.IndexFunc(nodes, func(n Node) bool { return n.Name == name })
		if !slices.Contains(nodes[at].DependsOn, path[i+1]) {
			t.Fatalf("%s doesn't depend on %s", name, path[i+1])
		}
	}
}
