package engine

// EngineOf returns the engine of a component.
func EngineOf(c *Component) *Engine { return c.engine }
