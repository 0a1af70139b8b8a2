// Command cpu is the server with a pool and the CPU backend for its workers.
package main

import (
	"context"
	"fmt"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

func main() {
	gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{}) })
	pool, err := gpu.NewPool(gpu.Config{})
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	set, err := hostfuncs.NewSet(hostfuncs.New("hello.world", "Says hello.", func(context.Context, struct{}) (string, error) { return "hello", nil }))
	if err != nil {
		panic(err)
	}
	if set, err = set.WithModules(gpu.Module(pool, gpu.Options{})); err != nil {
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
