// Command javascript renders a React component once.
package main

import (
	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/bench/first"
	"github.com/sporeengine/spore/engine/bench/work"
	"github.com/sporeengine/spore/runtimes/javascript"
)

func main() {
	first.Main(javascript.Runtime(), engine.Source{Name: "card.tsx", Code: work.CardTSX})
}
