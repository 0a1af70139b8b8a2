package hostfuncs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrModule is wrapped by every error about a [Module] that cannot be offered: its name
// is none, or is taken by another one or by a module that a language has already.
var ErrModule = errors.New("hostfuncs: invalid module")

// A Module is source that components can import by its name: the convenient face of some
// host functions, written in the languages of the components.
//
// It grants nothing by itself. It runs inside of the component, with its authority, and reaches the host
// by calling functions as the component could. It is trusted: its author is the embedder, not the author of the component.
//
// A component that imports it has it in its image, and one that does not pays nothing for it. It can import
// what components can, and other modules that are offered with it. A module is read-only once it was put into a set.
type Module struct {
	// Name is what components import, of the form "gpu". It is one name for all languages, and must not be that of a
	// module which one of them has already. In stack traces the file is the name in angle brackets.
	Name string

	Doc string // what it is for, for whoever writes components, be it a model

	// Sources are its code by language, as runtimes.Runtime.Language has it: for "python" a module, for "javascript" an
	// ES module, which may hold JSX. In other languages there is no such module.
	Sources map[string]string

	// Precompiled is, by language, what its interpreter has made of the source, which saves time and memory where it is given
	// and fits: if source or interpreter are others, the source is taken. Each runtime has its form, or none: see
	// runtimes/python.
	Precompiled map[string][]byte

	// Typings are declarations by language, for editors and models: for "python" the contents of a .pyi file, for
	// "javascript" what stands in the braces of a TypeScript declaration of the module.
	Typings map[string]string

	// Functions are those that the module calls. [Set.WithModules] grants them together with it. Descriptions of the
	// set have the module's typings instead of them.
	Functions []Func
}

var moduleName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Check returns an error that wraps [ErrModule] if m cannot be offered in any language.
func (m *Module) Check() error {
	switch {
	case !moduleName.MatchString(m.Name) || len(m.Name) > 100:
		return fmt.Errorf("%w: name %.100q", ErrModule, m.Name)
	case m.Name == "spore" || m.Name == "component":
		return fmt.Errorf("%w: the name %q is the engine's", ErrModule, m.Name)
	case len(m.Sources) == 0:
		return fmt.Errorf("%w: %q has no source", ErrModule, m.Name)
	}
	for language, code := range m.Sources {
		if code == "" || !utf8.ValidString(code) || strings.ContainsRune(code, 0) {
			return fmt.Errorf("%w: the source of %q in %s is empty or no text", ErrModule, m.Name, language)
		}
	}
	return nil
}

// WithModules returns s, the modules and their functions. An error about a module, such as two of the same name, wraps
// [ErrModule]; those about functions are as in [Set.With].
func (s Set) WithModules(modules ...Module) (Set, error) {
	all := slices.Clone(s.modules)
	for _, m := range modules {
		if err := m.Check(); err != nil {
			return Set{}, err
		}
		if slices.ContainsFunc(all, func(o Module) bool { return o.Name == m.Name }) {
			return Set{}, fmt.Errorf("%w: there are two %q", ErrModule, m.Name)
		}
		with, err := s.With(m.Functions...)
		if err != nil {
			return Set{}, err
		}
		s = with
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Module) int { return strings.Compare(a.Name, b.Name) })
	s.modules = all
	return s, nil
}

// Modules returns the modules of s in the order of their names: what components can import that were
// compiled with them.
func (s Set) Modules() []Module { return slices.Clone(s.modules) }

// behind reports whether the function of this name is one that a module, of which the language has typings, stands for. An
// empty language stands for any.
func (s Set) behind(name, language string) bool {
	for _, m := range s.modules {
		if language != "" && m.Typings[language] == "" {
			continue
		}
		if slices.ContainsFunc(m.Functions, func(f Func) bool { return f.Name == name }) {
			return true
		}
	}
	return false
}

// indented returns text with each line that is not empty indented.
func indented(text, indent string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	return b.String() + "\n"
}
