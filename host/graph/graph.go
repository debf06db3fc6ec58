package graph

import (
	"fmt"
	"slices"
	"strings"
)

// Node is a name and the names that it depends on.
type Node struct {
	Name      string
	DependsOn []string
}

// Graph is an acyclic dependency graph. It is immutable. Nodes are known by
// their index in the order in which they were given, so that a walk over
// thousands of them needs no look-ups by name.
type Graph struct {
	names        []string
	index        map[string]int
	dependencies [][]int
	dependents   [][]int
	order        []int
}

// CycleError is a dependency that leads back to itself.
type CycleError struct {
	// Path starts and ends with the same name.
	Path []string
}

// Error shows the whole path, as "a -> b -> a".
func (e *CycleError) Error() string {
	return "dependency cycle: " + strings.Join(e.Path, " -> ")
}

// New builds the graph. It fails with a [*CycleError], or when a name is given
// twice or depended on but not given. A dependency given twice counts once.
func New(nodes []Node) (*Graph, error) {
	g := &Graph{
		names:        make([]string, len(nodes)),
		index:        make(map[string]int, len(nodes)),
		dependencies: make([][]int, len(nodes)),
		dependents:   make([][]int, len(nodes)),
	}
	for i, node := range nodes {
		if _, ok := g.index[node.Name]; ok {
			return nil, fmt.Errorf("%q is given twice", node.Name)
		}
		g.names[i] = node.Name
		g.index[node.Name] = i
	}
	seenBy := make([]int, len(nodes)) // the last node, plus 1, that named it
	for i, node := range nodes {
		for _, name := range node.DependsOn {
			dependency, ok := g.index[name]
			if !ok {
				return nil, fmt.Errorf("%q depends on %q, which doesn't exist", node.Name, name)
			}
			if seenBy[dependency] == i+1 {
				continue
			}
			seenBy[dependency] = i + 1
			g.dependencies[i] = append(g.dependencies[i], dependency)
			g.dependents[dependency] = append(g.dependents[dependency], i)
		}
	}
	g.order = g.topological()
	if len(g.order) < len(nodes) {
		return nil, &CycleError{Path: g.cycle()}
	}
	return g, nil
}

// Len returns the number of nodes.
func (g *Graph) Len() int { return len(g.names) }

// Name returns the name of node i.
func (g *Graph) Name(i int) string { return g.names[i] }

// Index returns the node of that name.
func (g *Graph) Index(name string) (int, bool) {
	i, ok := g.index[name]
	return i, ok
}

// Dependencies returns the nodes that node i waits for. The caller must not
// change the slice.
func (g *Graph) Dependencies(i int) []int { return g.dependencies[i] }

// Dependents returns the nodes that wait for node i. The caller must not change
// the slice.
func (g *Graph) Dependents(i int) []int { return g.dependents[i] }

// Order returns every node after all that it depends on, by breadth, and
// otherwise in the order given. The caller must not change the slice.
func (g *Graph) Order() []int { return g.order }

// Closure returns the named nodes and all that they depend on, directly or not,
// as a set by index. It fails for a name that doesn't exist.
func (g *Graph) Closure(names ...string) ([]bool, error) {
	needed := make([]bool, len(g.names))
	var stack []int
	for _, name := range names {
		i, ok := g.index[name]
		if !ok {
			return nil, fmt.Errorf("there is no %q", name)
		}
		stack = append(stack, i)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if needed[i] {
			continue
		}
		needed[i] = true
		stack = append(stack, g.dependencies[i]...)
	}
	return needed, nil
}

// topological is Kahn's algorithm; nodes on a cycle are left out.
func (g *Graph) topological() []int {
	waiting := make([]int, len(g.names))
	order := make([]int, 0, len(g.names))
	for i := range g.names {
		waiting[i] = len(g.dependencies[i])
		if waiting[i] == 0 {
			order = append(order, i)
		}
	}
	for next := 0; next < len(order); next++ {
		for _, dependent := range g.dependents[order[next]] {
			waiting[dependent]--
			if waiting[dependent] == 0 {
				order = append(order, dependent)
			}
		}
	}
	return order
}

// cycle finds one cycle, given that there is one: every node that
// topological left out depends on another such node, so following those
// dependencies must come back.
func (g *Graph) cycle() []string {
	left := make([]bool, len(g.names))
	for i := range left {
		left[i] = true
	}
	for _, i := range g.topological() {
		left[i] = false
	}
	at := slices.Index(left, true)
	position := map[int]int{}
	var path []int
	for {
		if start, seen := position[at]; seen {
			return g.namesOf(append(path[start:], at))
		}
		position[at] = len(path)
		path = append(path, at)
		next := slices.IndexFunc(g.dependencies[at], func(d int) bool { return left[d] })
		at = g.dependencies[at][next]
	}
}

func (g *Graph) namesOf(nodes []int) []string {
	names := make([]string, len(nodes))
	for i, node := range nodes {
		names[i] = g.names[node]
	}
	return names
}
