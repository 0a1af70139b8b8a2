// Command gpu is the same program with a pool that it does not use.
package main

import (
	"context"
	"fmt"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

func main() {
	gpu.ServeWorker(func() (gpu.Backend, error) { return nil, nil })
	pool, err := gpu.NewPool(gpu.Config{})
	if err != nil {
		panic(err)
	}
	f := hostfuncs.New("hello.world", "Says hello.", func(context.Context, struct{}) (string, error) { return "hello", nil })
	set, err := hostfuncs.NewSet(append(gpu.Functions(pool, gpu.Options{}), f)...)
	fmt.Println(set.Len(), err)
}
