// Command cpu is the same program with the CPU backend in it.
package main

import (
	"context"
	"fmt"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/hostfuncs"
)

func main() {
	gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{}) })
	pool, err := gpu.NewPool(gpu.Config{})
	if err != nil {
		panic(err)
	}
	f := hostfuncs.New("hello.world", "Says hello.", func(context.Context, struct{}) (string, error) { return "hello", nil })
	set, err := hostfuncs.NewSet(append(gpu.Functions(pool, gpu.Options{}), f)...)
	fmt.Println(set.Len(), err)
}
