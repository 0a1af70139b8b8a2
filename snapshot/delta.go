package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// A Delta is the state of a session that is suspended: what its memory differs in
// from the image that it started from, its globals, and what the embedder wants
// to know of it (Meta). It is immutable and safe for concurrent use.
//
// It differs from a [Snapshot] with a base in its granularity: lines of 64 bytes
// instead of pages. A small call leaves behind 3 KB of lines in 100 KB of pages.
type Delta struct {
	header  deltaHeader
	content []byte // globals, meta data and lines
	size    int64  // length of the memory
}

// DeltaParams are what a delta is made of.
type DeltaParams struct {
	// Runtime identifies the module that the memory belongs to.
	Runtime Digest

	// Base identifies the image that the memory started from. It is not zero.
	Base Digest

	// Lines are what [Memory.AppendDelta] returned.
	Lines []byte

	// Globals are the values of the mutable globals as bits.
	Globals []uint64

	// Meta is data of the embedder, at most MaxMetaBytes.
	Meta []byte
}

// NewDelta makes a delta. It copies what it keeps. The error says what is wrong
// with p.
func NewDelta(p DeltaParams) (*Delta, error) {
	var errs []error
	if p.Base == (Digest{}) {
		errs = append(errs, errors.New("snapshot: delta without a base"))
	}
	size, err := checkLines(p.Lines)
	if err != nil {
		errs = append(errs, err)
	}
	if len(p.Globals) > MaxGlobals {
		errs = append(errs, fmt.Errorf("snapshot: %d globals: at most %d are supported", len(p.Globals), MaxGlobals))
	}
	if len(p.Meta) > MaxMetaBytes {
		errs = append(errs, fmt.Errorf("snapshot: %d bytes of meta data: at most %d are supported", len(p.Meta), MaxMetaBytes))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	d := &Delta{size: size, header: deltaHeader{
		runtime:   p.Runtime,
		base:      p.Base,
		globals:   uint32(len(p.Globals)),
		metaBytes: uint32(len(p.Meta)),
		lineBytes: uint64(len(p.Lines)),
	}}
	b := make([]byte, 0, d.header.contentBytes())
	b = appendGlobals(b, p.Globals)
	b = append(b, p.Meta...)
	d.content = append(b, p.Lines...)
	blocks := d.blocks()
	hashes := make([]Digest, len(blocks))
	parallel(len(blocks), func(i int) { hashes[i] = sha256.Sum256(blocks[i]) })
	d.header.digest = d.contentDigest(hashes)
	return d, nil
}

// blocks returns the contents in blocks.
func (d *Delta) blocks() [][]byte {
	return slices.AppendSeq(make([][]byte, 0, d.header.blocks()), slices.Chunk(d.content, blockBytes))
}

// contentDigest computes the digest of a delta from the digests of its blocks.
func (d *Delta) contentDigest(blocks []Digest) Digest {
	b := make([]byte, 0, len(deltaDomain)+deltaContentEnd-deltaContentStart+len(blocks)*len(Digest{}))
	b = append(b, deltaDomain...)
	b = d.header.appendContent(b)
	for i := range blocks {
		b = append(b, blocks[i][:]...)
	}
	return sha256.Sum256(b)
}

// Digest identifies the contents of d: equal digests mean equal states on equal
// images. It does not depend on how d is compressed.
func (d *Delta) Digest() Digest { return d.header.digest }

// Info describes d. StoredBytes is the length of its lines.
func (d *Delta) Info() Info {
	return Info{
		Format:      deltaVersion,
		Runtime:     d.header.runtime,
		Base:        d.header.base,
		MemoryBytes: d.size,
		StoredBytes: int64(d.header.lineBytes),
	}
}

// Globals returns a copy of the values of the globals.
func (d *Delta) Globals() []uint64 {
	globals := make([]uint64, d.header.globals)
	for i := range globals {
		globals[i] = binary.LittleEndian.Uint64(d.content[8*i:])
	}
	return globals
}

// Meta returns a copy of the embedder's data.
func (d *Delta) Meta() []byte {
	start := 8 * int(d.header.globals)
	return bytes.Clone(d.content[start : start+int(d.header.metaBytes)])
}

// Lines returns the lines, for [Memory.ApplyDelta]. They are not a copy, so they
// must not be written to.
func (d *Delta) Lines() []byte {
	return slices.Clip(d.content[8*int(d.header.globals)+int(d.header.metaBytes):])
}
