package engine_test

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// A printer prints operations when they end, indented by what they are in.
type printer struct{}

type depthKey struct{}

// Begin implements [engine.Tracer].
func (printer) Begin(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
	depth, _ := ctx.Value(depthKey{}).(int)
	return context.WithValue(ctx, depthKey{}, depth+1), func(out engine.Outcome) {
		fmt.Printf("%s%v %s of %s for %q: %d host calls, %s\n", strings.Repeat("  ", depth), op.Kind, op.Name, op.Component, op.Tenant,
			out.Usage.HostCalls, cmp.Or(engine.ErrorClass(out.Err), "well"))
	}
}

func ExampleTracer() {
	ctx := context.Background()
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}, Tracer: printer{}})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	grants, err := hostfuncs.NewSet(hostfuncs.New("users.count", "How many users there are.", func(context.Context, struct{}) (int, error) { return 7, nil }))
	if err != nil {
		log.Fatal(err)
	}
	page, err := eng.Compile(ctx, engine.Source{Name: "page.js", Tenant: "ada", Code: []byte(`
		import { call } from "spore";
		export async function render() {
			const n = await call("users.count", {});
			throw new Error(n + " are too many");
		}`)})
	if err != nil {
		log.Fatal(err)
	}
	page.Render(ctx, nil, &engine.Options{Tenant: "bob", Grants: grants})
	for tenant, s := range eng.Tenants() {
		fmt.Printf("%s: %d compiled, %d calls, %d errors\n", tenant, s.Compiles, s.Calls, s.Errors)
	}
	// Output:
	// compile  of page.js for "ada": 0 host calls, well
	//   host_call users.count of page.js for "bob": 0 host calls, well
	// render render of page.js for "bob": 1 host calls, guest.error
	// bob: 0 compiled, 1 calls, 1 errors
	// ada: 1 compiled, 0 calls, 0 errors
}
