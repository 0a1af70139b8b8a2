// Package snapshot holds images of quiescent guests: in memory, where any number
// of guests start from one image copy-on-write, and as bytes, in which a guest
// can be kept or sent elsewhere.
//
// A guest is quiescent when none of its code is on a stack. What there is of it
// then is its linear memory and its mutable globals, and an image is these, and
// nothing else: no host state, no handles, no grants, no machine code. A forged
// image can therefore do what guest code can do and no more.
//
// # In memory
//
// An [Image] is immutable memory. [Image.NewMemory] makes a [Memory] that starts
// with its contents, at the cost of one mapping, however large the image is. A
// guest then runs in the memory, and [Memory.Reset] takes it back to the image.
// What a reset costs depends on the pages that guests have written to and not
// on the size of the image; see DESIGN.md.
//
// On Linux (amd64 and arm64) memories share the pages of their image until they
// write to them. Elsewhere each memory is a copy on the Go heap; everything
// works, at the cost of memory and of time in proportion to the size.
//
// A guest that waits for its next call need not keep its memory.
// [Memory.AppendDelta] says what it differs in from the image, in lines of 64
// bytes, and [Memory.ApplyDelta] brings another memory of the image to that state.
// A [Slab] holds the lines of any number of such guests, where the garbage
// collector does not see them.
//
// # As bytes
//
// A [Snapshot] is the memory, the globals and the digest of the runtime that
// they belong to, whole or as the pages that differ from another one. A [Delta]
// is the same of a guest between two calls, in lines instead of pages. FORMAT.md
// specifies the encoding of both.
package snapshot
