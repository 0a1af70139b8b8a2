package engine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sporeengine/spore/engine/internal/wire"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
)

// maxModules is how many modules there can be in a component and its cells.
const maxModules = 1000

// checkModules returns what is wrong with names that a snapshot has of modules.
func checkModules(names []string) error {
	if len(names) > maxModules {
		return fmt.Errorf("%d modules, more than %d", len(names), maxModules)
	}
	for _, n := range names {
		if !moduleFile.MatchString("<" + n + ">") {
			return fmt.Errorf("a module %.100q", n)
		}
	}
	return nil
}

// modules returns those of list that there are in l, by name. It refuses names that cannot be.
func (l *language) modules(list []hostfuncs.Module) ([]runtimes.Module, error) {
	var out []runtimes.Module
	if len(list) > maxModules {
		return nil, fmt.Errorf("%w: %d of them, more than %d", hostfuncs.ErrModule, len(list), maxModules)
	}
	for i := range list {
		m := &list[i]
		if err := m.Check(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list[:i], func(o hostfuncs.Module) bool { return o.Name == m.Name }) {
			return nil, fmt.Errorf("%w: there are two %q", hostfuncs.ErrModule, m.Name)
		}
		code, ok := m.Sources[l.runtime.Language]
		if !ok {
			continue
		}
		if l.runtime.Link == nil {
			return nil, fmt.Errorf("%w: %q: the %s runtime takes no modules", hostfuncs.ErrModule, m.Name, l.runtime.Language)
		}
		if slices.Contains(l.runtime.Taken, m.Name) {
			return nil, fmt.Errorf("%w: the name %q is taken in %s", hostfuncs.ErrModule, m.Name, l.runtime.Language)
		}
		out = append(out, runtimes.Module{Name: m.Name, Code: []byte(code), Precompiled: m.Precompiled[l.runtime.Language]})
	}
	slices.SortFunc(out, func(a, b runtimes.Module) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

type lowerFunc = func(name string, code []byte) (runtimes.Lowered, []runtimes.Diagnostic)

// linking returns lower, or what does the same with modules if there are any.
func linking(lower lowerFunc, link func(string, []byte, []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic), modules []runtimes.Module) lowerFunc {
	if len(modules) == 0 || link == nil {
		return lower
	}
	return func(name string, code []byte) (runtimes.Lowered, []runtimes.Diagnostic) {
		return link(name, code, modules)
	}
}

// cellModules returns the modules that a cell can import. The interpreter has those without
// code: the component or an earlier cell has brought them along.
func (c *Component) cellModules(k *call) ([]runtimes.Module, error) {
	modules, err := c.language.modules(k.grants.Modules())
	if err != nil {
		return nil, err
	}
	known := slices.Concat(c.meta.Modules, k.session.from.Modules)
	for i := range modules {
		if slices.Contains(known, modules[i].Name) {
			modules[i].Code, modules[i].Precompiled = nil, nil
		}
	}
	for _, name := range known { // no longer granted, but imported
		if !slices.ContainsFunc(modules, func(m runtimes.Module) bool { return m.Name == name }) {
			modules = append(modules, runtimes.Module{Name: name})
		}
	}
	return modules, nil
}

// encodeModules and decodeModules take modules to a worker process.
func encodeModules(modules []runtimes.Module) (out []wire.Module) {
	for _, m := range modules {
		out = append(out, wire.Module{Name: []byte(m.Name), Code: m.Code, Precompiled: m.Precompiled})
	}
	return out
}

func decodeModules(modules []wire.Module) (out []runtimes.Module) {
	for _, m := range modules {
		out = append(out, runtimes.Module{Name: string(m.Name), Code: m.Code, Precompiled: m.Precompiled})
	}
	return out
}
