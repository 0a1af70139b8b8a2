package engine

import (
	"context"
	"encoding/binary"

	"github.com/sporeengine/spore/snapshot"
)

// Damaged returns a snapshot like that of c in which some words of memory and
// globals have other values: edits is a list of pairs of 32-bit words, a place
// and what goes there. A place with the highest bit set is anywhere in memory, one with
// the next bit set is a global, and all others are in the pages in which c differs from
// its runtime's image.
func Damaged(ctx context.Context, c *Component, edits []byte) (*snapshot.Snapshot, error) {
	p, err := c.language.prepare(ctx)
	if err != nil {
		return nil, err
	}
	mem, err := c.snapshot.Memory(p.base.memory.Bytes())
	if err != nil {
		return nil, err
	}
	own := make([]int, 0, 64) // pages of c
	for page := 0; page < len(mem); page += snapshot.PageSize {
		end := min(page+snapshot.PageSize, len(mem))
		if base := p.base.memory.Bytes(); page >= len(base) || string(mem[page:end]) != string(base[page:end]) {
			own = append(own, page)
		}
	}
	globals := c.snapshot.Globals()
	for ; len(edits) >= 8; edits = edits[8:] {
		place, value := binary.LittleEndian.Uint32(edits), binary.LittleEndian.Uint32(edits[4:])
		at := 0
		switch {
		case place>>31 == 1:
			at = int(place&^(1<<31)) % (len(mem) - 3)
		case place>>30 == 1:
			if len(globals) > 0 {
				globals[place&^(1<<30)%uint32(len(globals))] = uint64(value)
			}
			continue
		default:
			place %= uint32(len(own) * snapshot.PageSize)
			at = own[place/snapshot.PageSize] + int(place%snapshot.PageSize&^3)
		}
		binary.LittleEndian.PutUint32(mem[at:], value)
	}
	return snapshot.New(snapshot.Params{
		Runtime: c.snapshot.Info().Runtime, Base: p.base.digest, BaseMemory: p.base.memory.Bytes(),
		Memory: mem, Globals: globals, Meta: c.snapshot.Meta(),
	})
}
