package engine

import (
	"bytes"
	"context"
)

// EngineOf returns the engine of a component.
func EngineOf(c *Component) *Engine { return c.engine }

// SlabEntries returns how many states of instances are kept in memory.
func SlabEntries(e *Engine) int64 { return e.parking.slab.Stats().Entries }

// MemoryOf returns a copy of the memory that the next call of an instance finds.
func MemoryOf(ctx context.Context, in *Instance) ([]byte, error) {
	_, lines, err := in.load(ctx)
	if err != nil {
		return nil, err
	}
	images := in.Component().engine.images
	mem, _, err := images.acquire(in.Component().image)
	if err != nil {
		return nil, err
	}
	mem.Enter()
	if len(lines) > 0 {
		err = mem.ApplyDelta(lines)
	}
	b := bytes.Clone(mem.Bytes())
	mem.Leave()
	err = first(err, mem.Reset())
	return b, first(err, images.release(in.Component().image, mem, err == nil))
}
