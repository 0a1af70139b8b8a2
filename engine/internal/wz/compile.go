//go:build !spore_interpret

package wz

// Interpret is the default of Compile's parameter.
const Interpret = false
