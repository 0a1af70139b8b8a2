// Command engine is a server that embeds Spore and grants a function, without package gpu.
package main

import (
	"context"
	"fmt"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

func main() {
	set, err := hostfuncs.NewSet(hostfuncs.New("hello.world", "Says hello.", func(context.Context, struct{}) (string, error) { return "hello", nil }))
	if err != nil {
		panic(err)
	}
	e, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	c, err := e.Compile(context.Background(), engine.Source{Name: "a.js", Code: []byte("export const render = () => 'hello'"), Modules: set.Modules()})
	fmt.Println(c, err)
}
