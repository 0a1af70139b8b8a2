//go:build spore_interpret

package wz

// Interpret is the default of Compile's parameter: with the build tag
// spore_interpret, programs run with wazero's interpreter, for `make differential`.
const Interpret = true
