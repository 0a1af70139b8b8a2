// Command python renders a Python component once.
package main

import (
	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/bench/first"
	"github.com/sporeengine/spore/engine/bench/work"
	"github.com/sporeengine/spore/runtimes/python"
)

func main() {
	first.Main(python.Runtime(), engine.Source{Name: "table.py", Code: work.TablePy})
}
