package hostfuncs_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// chart is a module that stands for a function.
func chart() hostfuncs.Module {
	return hostfuncs.Module{
		Name:    "chart",
		Doc:     "Draws charts.",
		Sources: map[string]string{"python": "import spore\n", "javascript": "export const line = 1;\n"},
		Typings: map[string]string{
			"python":     "def line(values: list[float]) -> str:\n    \"\"\"A line as SVG.\"\"\"\n",
			"javascript": "/** A line as SVG. */\nexport function line(values: number[]): string;\n",
		},
		Functions: []hostfuncs.Func{hostfuncs.New("chart.draw", "Draws.", func(context.Context, struct{}) (string, error) { return "", nil })},
	}
}

func TestDescriptionsOfModules(t *testing.T) {
	s, err := hostfuncs.NewSet(weather())
	require.NoError(t, err)
	s, err = s.WithModules(chart())
	require.NoError(t, err)
	golden(t, s, "modules")
}

func TestModules(t *testing.T) {
	base, err := hostfuncs.NewSet(weather())
	require.NoError(t, err)
	plain := hostfuncs.Module{Name: "area", Sources: map[string]string{"python": "x = 1"}}
	s, err := base.WithModules(chart(), plain)
	require.NoError(t, err)
	require.Empty(t, base.Modules(), "sets are immutable")
	names := func(s hostfuncs.Set) (names []string) {
		for _, m := range s.Modules() {
			names = append(names, m.Name)
		}
		return names
	}
	require.Equal(t, []string{"area", "chart"}, names(s))
	_, ok := s.Lookup("chart.draw")
	require.True(t, ok, "its functions are granted")
	require.Equal(t, []string{"area"}, names(s.Only("weather.today")))
	require.Equal(t, []string{"area", "chart"}, names(s.Only("chart.draw")))
	more, err := s.With()
	require.NoError(t, err)
	require.Equal(t, []string{"area", "chart"}, names(more))
	s.Modules()[0].Name = "other"
	require.Equal(t, []string{"area", "chart"}, names(s))

	source := map[string]string{"python": "x = 1"}
	for what, m := range map[string]hostfuncs.Module{
		"no name":        {Sources: source},
		"upper case":     {Name: "Gpu", Sources: source},
		"a dot":          {Name: "a.b", Sources: source},
		"the engine's":   {Name: "spore", Sources: source},
		"the component":  {Name: "component", Sources: source},
		"no source":      {Name: "a"},
		"an empty one":   {Name: "a", Sources: map[string]string{"python": ""}},
		"not UTF-8":      {Name: "a", Sources: map[string]string{"python": "\xff"}},
		"a NUL":          {Name: "a", Sources: map[string]string{"python": "x\x00"}},
		"there is a one": {Name: "chart", Sources: source},
	} {
		if _, err := s.WithModules(m); !errors.Is(err, hostfuncs.ErrModule) {
			t.Errorf("%s: %v", what, err)
		}
	}
	again := chart()
	again.Name = "chart2"
	_, err = s.WithModules(again)
	require.ErrorContains(t, err, `two functions "chart.draw"`)
}
