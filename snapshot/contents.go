package snapshot

import (
	"bytes"
	"fmt"
	"iter"
)

// contents is what an image is to hold.
type contents struct {
	size int64 // bytes
	// pages yields what is not zero, at which offset, in whole pages and mostly
	// in order. Of two that overlap the later one counts.
	pages iter.Seq2[int64, []byte]
}

// contentsOf returns mem as contents.
func contentsOf(mem []byte) contents {
	return contents{int64(len(mem)), func(yield func(int64, []byte) bool) {
		for at := 0; at < len(mem); {
			end := at
			for end < len(mem) && !bytes.Equal(mem[end:end+PageSize], zeroPage[:]) {
				end += PageSize
			}
			if end > at && !yield(int64(at), mem[at:end]) {
				return
			}
			at = end + PageSize
		}
	}}
}

// contentsOn returns the memory of s on that of its base as contents.
func (s *Snapshot) contentsOn(base []byte, blocks [][]byte) contents {
	return contents{int64(s.header.memoryBytes), func(yield func(int64, []byte) bool) {
		for at, b := range contentsOf(base).pages {
			if !yield(at, b) {
				return
			}
		}
		for at, b := range s.stored(blocks) {
			if !yield(at, b) {
				return
			}
		}
	}}
}

// stored yields the stored pages and their offsets, as many at a time as lie side
// by side in the memory and in a block.
func (s *Snapshot) stored(blocks [][]byte) iter.Seq2[int64, []byte] {
	return func(yield func(int64, []byte) bool) {
		var block []byte
		for _, r := range s.runs {
			for at, end := r.offset(), r.offset()+r.bytes(); at < end; {
				if len(block) == 0 {
					block, blocks = blocks[0], blocks[1:]
				}
				n := min(end-at, int64(len(block)))
				if !yield(at, block[:n]) {
					return
				}
				at, block = at+n, block[n:]
			}
		}
	}
}

// NewImage is like [NewImage] of [Snapshot.Memory], without the detour over a
// copy of the whole memory. The limits and the errors are those of the two.
func (s *Snapshot) NewImage(base []byte, max int64) (*Image, error) {
	blocks, err := s.load(base)
	if err != nil {
		return nil, err
	}
	return makeImage(s.contentsOn(base, blocks), max)
}

// load returns the blocks of s if base can be its base.
func (s *Snapshot) load(base []byte) ([][]byte, error) {
	blocks := s.blocks.Load()
	if blocks == nil {
		return nil, ErrClosed
	}
	if uint64(len(base)) != s.header.baseBytes {
		return nil, fmt.Errorf("snapshot: base memory of %d bytes, want %d", len(base), s.header.baseBytes)
	}
	return *blocks, nil
}
