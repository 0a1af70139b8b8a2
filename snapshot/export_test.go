package snapshot

import (
	"bytes"
	"io"
)

// WriteRaw writes d without compression, the bytes of which depend on the format
// only.
func (d *Delta) WriteRaw(w io.Writer) (int64, error) { return d.write(w, false) }

// DigestOfDelta computes the digest that a delta ought to state.
func DigestOfDelta(b []byte) (Digest, bool) {
	in := &input{r: bytes.NewReader(b)}
	d := new(Delta)
	head := make([]byte, deltaHeaderBytes)
	if in.header(head, deltaMagic) != nil || d.header.parse(head) != nil || d.header.contentBytes() > 1<<20 {
		return Digest{}, false
	}
	d.content = make([]byte, d.header.contentBytes())
	blocks := d.blocks()
	hashes, err := in.blocks(blocks, func(i int) int { return len(blocks[i]) }, true)
	return d.contentDigest(hashes), err == nil
}
