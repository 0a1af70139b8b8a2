// Package gpu evaluates the tensor programs of sandboxed guests on a device.
//
// A guest never sends code, pointers or names of files to a device. It describes a
// computation as a [tensor.Program]: a list of operations of fixed meaning without
// loops, whose types, memory and work are known before it runs. A [Backend] runs
// such programs; package gpu/cpu has one in pure Go that runs anywhere.
//
// A [Pool] runs them in worker processes, for many tenants, and [Module] gives it
// to guests, who import it under the name gpu (guest/README.md):
//
//	func main() {
//		gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{}) })
//		pool, err := gpu.NewPool(gpu.Config{})
//		...
//		defer pool.Close()
//		grants, err := hostfuncs.Set{}.WithModules(gpu.Module(pool, gpu.Options{}))
//
// DESIGN.md says how it works and why, PROTOCOL.md what a host and a worker say to each other.
package gpu
