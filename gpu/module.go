package gpu

import (
	"github.com/sporeengine/spore/gpu/guest"
	"github.com/sporeengine/spore/hostfuncs"
)

// Module returns the module gpu with the functions that [Functions] returns, by which components use the pool with lazy arrays: see
// guest/README.md.
//
//	grants, err := hostfuncs.Set{}.WithModules(gpu.Module(pool, gpu.Options{}))
//	...
//	c, err := eng.Compile(ctx, engine.Source{Name: "a.tsx", Code: code, Modules: grants.Modules()})
func Module(p *Pool, opts Options) hostfuncs.Module {
	return hostfuncs.Module{Name: "gpu", Doc: guest.Doc, Sources: guest.Sources(), Precompiled: guest.Precompiled(), Typings: guest.Typings(), Functions: Functions(p, opts)}
}
