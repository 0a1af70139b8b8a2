package kv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/kv"
)

// Each component of a tenant has keys of its own.
func ExampleFunctions() {
	grants, err := hostfuncs.NewSet(kv.Functions(kv.Options{
		Scope:   func(ctx context.Context) string { return hostfuncs.CallerOf(ctx).Component },
		MaxKeys: 100,
	})...)
	if err != nil {
		log.Fatal(err)
	}
	// As a guest: await call("kv.put", { key: "cart", value: ["apple"] })
	call := func(component, name, arg string) {
		f, _ := grants.Lookup(name)
		ctx := hostfuncs.WithCaller(context.Background(), hostfuncs.Caller{Tenant: "acme", Component: component})
		v, err := f.Call(ctx, hostfuncs.Value{JSON: json.RawMessage(arg)})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(v.JSON))
	}
	call("cart.tsx", "kv.put", `{"key":"cart","value":["apple"]}`)
	call("cart.tsx", "kv.put", `{"key":"cart","value":["pear"],"if_version":0}`)
	call("cart.tsx", "kv.get", `{"key":"cart"}`)
	call("shop.py", "kv.get", `{"key":"cart"}`)
	// Output:
	// {"version":1}
	// conflict: kv: "cart" has version 1, not 0
	// {"value":["apple"],"version":1}
	// null
}
