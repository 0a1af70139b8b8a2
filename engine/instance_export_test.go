package engine

// EngineOf returns the engine of a component.
func EngineOf(c *Component) *Engine { return c.engine }

// SlabEntries returns how many states of instances are kept in memory.
func SlabEntries(e *Engine) int64 { return e.parking.slab.Stats().Entries }
