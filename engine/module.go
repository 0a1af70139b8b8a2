package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/snapshot/rewrite"
)

// exports are the functions that the guest ABI asks of a module: the number of
// parameters of each, all of them i32. All but the first return an i32.
var exports = []struct {
	name   string
	params int
}{
	{abi.Initialize, 0}, {abi.Control, 0}, {abi.Boot, 0}, {abi.Load, 2}, {abi.Seal, 0}, {abi.Call, 2}, {abi.Settle, 3}, {abi.Tidy, 0}, {abi.Reserve, 1},
}

// checkExports makes sure that a module has the exports of the guest ABI with
// their types.
func checkExports(m *rewrite.Module) error {
	for _, e := range exports {
		i := slices.IndexFunc(m.Exports, func(f rewrite.Func) bool { return f.Name == e.name })
		if i < 0 {
			return fmt.Errorf("module does not export the function %q", e.name)
		}
		params := slices.Repeat([]rewrite.ValueType{rewrite.I32}, e.params)
		results := []rewrite.ValueType{rewrite.I32}
		if e.name == abi.Initialize {
			results = nil
		}
		if f := m.Exports[i]; !slices.Equal(f.Params, params) || !slices.Equal(f.Results, results) {
			return fmt.Errorf("module exports %q with the type %s, want %s", e.name, typeText(f.Params, f.Results), typeText(params, results))
		}
	}
	return nil
}

// typeText is a function type in the way of ABI.md.
func typeText(params, results []rewrite.ValueType) string {
	list := func(types []rewrite.ValueType) string {
		var names []string
		for _, t := range types {
			names = append(names, t.String())
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	return list(params) + " → " + list(results)
}
