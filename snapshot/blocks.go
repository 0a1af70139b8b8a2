package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// writeBlocks writes blocks, each with its length and its checksum.
func writeBlocks(put func([]byte) error, blocks [][]byte, compress bool) error {
	// A batch is compressed by all processors and then written in order.
	batch := min(len(blocks), 2*runtime.GOMAXPROCS(0))
	buffers, out := make([][]byte, batch), make([][]byte, batch)
	for rest := blocks; len(rest) > 0; {
		now := rest[:min(batch, len(rest))]
		rest = rest[len(now):]
		parallel(len(now), func(i int) {
			out[i] = now[i]
			if !compress {
				return
			}
			buffers[i] = encoder().EncodeAll(now[i], buffers[i][:0])
			// A block that is as long as its contents is one that is not compressed.
			if len(buffers[i]) < len(now[i]) {
				out[i] = buffers[i]
			}
		})
		for _, b := range out[:len(now)] {
			var head [8]byte
			binary.LittleEndian.PutUint32(head[:], uint32(len(b)))
			binary.LittleEndian.PutUint32(head[4:], checksum(b))
			if err := put(head[:]); err != nil {
				return err
			}
			if err := put(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// blocks reads as many blocks as dst has elements, each of which becomes one that
// is length(i) bytes long, at most blockBytes. An element that is not nil is
// where the block goes to. While the next block is read, goroutines check, expand
// and (if hash is set) hash the ones before it.
func (in *input) blocks(dst [][]byte, length func(i int) int, hash bool) (hashes []Digest, err error) {
	n := len(dst)
	hashes = make([]Digest, n)
	errs := make([]error, n) // goroutine i writes to the i-th of each
	var failed atomic.Bool
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	for i := 0; i < n && !failed.Load(); i++ {
		var head [8]byte
		if err = in.fill(head[:], "block"); err != nil {
			break
		}
		size, sum := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
		length := length(i)
		if uint64(size) > uint64(length) {
			err = fmt.Errorf("%w: impossible length of a block at offset %d", ErrCorrupt, in.offset-8)
			break
		}
		at := in.offset
		data := make([]byte, size)
		if err = in.fill(data, "block"); err != nil {
			break
		}
		do := func() {
			b, err := expand(dst[i], data, length, sum)
			if err != nil {
				errs[i] = fmt.Errorf("%w: block at offset %d: %w", ErrCorrupt, at, err)
				failed.Store(true)
				return
			}
			if hash {
				hashes[i] = sha256.Sum256(b)
			}
			dst[i] = b
		}
		if n == 1 {
			do() // most deltas; a goroutine would take as long as the work
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do()
		})
	}
	wg.Wait()
	// A block that is corrupt comes before the one that could not be read.
	for _, e := range errs {
		if e != nil {
			return nil, e
		}
	}
	return hashes, err
}

var errChecksum = errors.New("wrong checksum")

// expand checks the bytes of a block and returns its length bytes, in dst unless
// that is nil. They are the bytes of the block themselves if these are so many.
func expand(dst, data []byte, length int, sum uint32) ([]byte, error) {
	if checksum(data) != sum {
		return nil, errChecksum
	}
	if len(data) == length {
		if dst == nil {
			return data, nil
		}
		return dst[:copy(dst, data)], nil
	}
	if dst == nil {
		dst = make([]byte, length)
	}
	// The capacity is what the decoder stops at.
	b, err := decoder().DecodeAll(data, dst[:0:length])
	if err != nil {
		return nil, err
	}
	if len(b) != length {
		return nil, fmt.Errorf("%d bytes, want %d", len(b), length)
	}
	return b, nil
}
