// Package gpu evaluates the tensor programs of sandboxed guests on a device.
//
// A guest never sends code, pointers or names of files to a device. It describes a
// computation as a [tensor.Program]: a list of operations of fixed meaning without
// loops, whose types, memory and work are known before it runs. A [Backend] runs
// such programs; package gpu/cpu has one in pure Go that runs anywhere.
package gpu
