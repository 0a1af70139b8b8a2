// Package work holds what every contender of the benchmark renders: one React
// component and one Python component, their props, and the HTML that must come
// out. The HTML was made by node with react-dom and by CPython.
package work

import "embed"

// The React component has ten elements.
var (
	//go:embed card.tsx
	CardTSX []byte
	//go:embed card.json
	CardProps []byte
	//go:embed card.html
	CardHTML string
)

// The Python component is a table of twenty rows, made of f-strings. Starlark
// gets a translation of it.
var (
	//go:embed table.py
	TablePy []byte
	//go:embed table.star
	TableStar []byte
	//go:embed table.json
	TableProps []byte
	//go:embed table.html
	TableHTML string
)

// Small components return "ok" at once, but only if no call came before: they
// show that every render starts from the same state. Large ones do the same,
// with tens of megabytes of objects at module level.
var (
	//go:embed small.js
	SmallJS []byte
	//go:embed small.py
	SmallPy []byte
	//go:embed large.js
	LargeJS []byte
	//go:embed large.py
	LargePy []byte
)

// Scripts are the programs that run the components in node and in CPython: the
// folders node and python.
//
//go:embed node/package.json node/package-lock.json node/*.cjs python/*.py
var Scripts embed.FS
