package engine

// Interpret makes e run guests with wazero's interpreter instead of its compiler.
// It comes before the first use.
func Interpret(e *Engine) { e.interpret = true }
