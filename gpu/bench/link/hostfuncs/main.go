// Command hostfuncs is a program that offers a capability, as every embedder does.
package main

import (
	"context"
	"fmt"

	"github.com/sporeengine/spore/hostfuncs"
)

func main() {
	f := hostfuncs.New("hello.world", "Says hello.", func(context.Context, struct{}) (string, error) { return "hello", nil })
	set, err := hostfuncs.NewSet(f)
	fmt.Println(set.Len(), err)
}
