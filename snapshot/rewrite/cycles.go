package rewrite

import (
	"slices"
)

// A graph is a directed graph over the nodes 0 to n-1, by ranges of one slice.
type graph struct {
	first []int32 // where the edges of a node begin; one more than there are nodes
	to    []int32
}

func (g *graph) edges(n int32) []int32 { return g.to[g.first[n]:g.first[n+1]] }

// components returns the strongly connected components of g without the edges
// into nodes that are cut, each after those that it has edges to. This is
// Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972)
// with a stack of its own.
func (g *graph) components(cut []bool) [][]int32 {
	n := len(g.first) - 1
	index := make([]int32, n) // 0: not seen
	low := make([]int32, n)
	onStack := make([]bool, n)
	type frame struct{ node, edge int32 }
	var calls []frame
	var stack []int32
	var out [][]int32
	nodes := make([]int32, 0, n)
	counter := int32(0)
	for root := range int32(n) {
		if index[root] != 0 {
			continue
		}
		calls = append(calls, frame{root, 0})
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			v := f.node
			if index[v] == 0 {
				counter++
				index[v], low[v] = counter, counter
				stack, onStack[v] = append(stack, v), true
			}
			if edges := g.edges(v); int(f.edge) < len(edges) {
				t := edges[f.edge]
				f.edge++
				switch {
				case cut[t]:
				case index[t] == 0:
					calls = append(calls, frame{t, 0})
				case onStack[t]:
					low[v] = min(low[v], index[t])
				}
				continue
			}
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				u := calls[len(calls)-1].node
				low[u] = min(low[u], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			begin := len(nodes)
			for {
				t := stack[len(stack)-1]
				stack, onStack[t] = stack[:len(stack)-1], false
				nodes = append(nodes, t)
				if t == v {
					break
				}
			}
			out = append(out, nodes[begin:len(nodes):len(nodes)])
		}
	}
	return out
}

// cyclic reports whether a component has a cycle.
func (g *graph) cyclic(component []int32) bool {
	return len(component) > 1 || slices.Contains(g.edges(component[0]), component[0])
}
