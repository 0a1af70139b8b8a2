package hostfuncs

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// A Set is an immutable set of capabilities, and of modules by which components use them.
// The zero Set grants nothing. It is safe for concurrent use.
type Set struct {
	m       map[string]Func
	modules []Module // by name
}

// NewSet returns the set of fs. Two of the same name are an error.
func NewSet(fs ...Func) (Set, error) { return Set{}.With(fs...) }

// With returns s and fs. Two of the same name are an error.
func (s Set) With(fs ...Func) (Set, error) {
	m := make(map[string]Func, len(s.m)+len(fs))
	maps.Copy(m, s.m)
	for _, f := range fs {
		if f.call == nil {
			return Set{}, fmt.Errorf("hostfuncs: %q was made without New or Raw", f.Name)
		}
		if !isName(f.Name) {
			return Set{}, fmt.Errorf("hostfuncs: name %q", f.Name)
		}
		if _, ok := m[f.Name]; ok {
			return Set{}, fmt.Errorf("hostfuncs: there are two functions %q", f.Name)
		}
		m[f.Name] = f
	}
	return Set{m, s.modules}, nil
}

// Only returns the functions of s with these names, of which s need not have all.
// It is how a component gets less than its caller has. Of the modules those are left of which a function is left, and those
// without any.
func (s Set) Only(names ...string) Set {
	m := make(map[string]Func, len(names))
	for _, n := range names {
		if f, ok := s.m[n]; ok {
			m[n] = f
		}
	}
	kept := func(f Func) bool { _, ok := m[f.Name]; return ok }
	modules := slices.DeleteFunc(slices.Clone(s.modules), func(m Module) bool {
		return len(m.Functions) > 0 && !slices.ContainsFunc(m.Functions, kept)
	})
	return Set{m, modules}
}

// Lookup returns the function of this name.
func (s Set) Lookup(name string) (Func, bool) {
	f, ok := s.m[name]
	return f, ok
}

// Len returns the number of functions.
func (s Set) Len() int { return len(s.m) }

// All yields the functions in the order of their names.
func (s Set) All() iter.Seq[Func] {
	return func(yield func(Func) bool) {
		for _, n := range slices.Sorted(maps.Keys(s.m)) {
			if !yield(s.m[n]) {
				return
			}
		}
	}
}
