// Package tensor has the programs that guests send to a device: lists of operations
// on tensors in single assignment form, without loops or branches. Every program
// that exists has been checked: its types are inferred, and so are the memory and the
// work that it takes, before it runs.
package tensor

import (
	"crypto/sha256"
	"slices"
)

// A Program is a checked program. It comes from a [Builder] or from [Decode], is
// immutable and safe for concurrent use.
type Program struct {
	nodes     []Node
	types     []Type // of every value
	inputs    []int  // values of asarray nodes
	constants []int  // values of constant nodes
	outputs   []int  // values
	cost      Cost
	encoded   []byte
}

// A Node is one operation of a program. The fields must not be written to.
type Node struct {
	Op Op

	// DType is the type of the first result.
	DType DType

	// In are the values that the operation works on. Values count the results of
	// all nodes, in order.
	In []int

	// Out is the first value that the node defines, see [Op.Results].
	Out int

	// Attrs are the attributes, in the order of the op table.
	Attrs []Attr
}

// Nodes returns the nodes in the order in which they run. It must not be written
// to.
func (p *Program) Nodes() []Node { return p.nodes }

// NumValues returns the number of values.
func (p *Program) NumValues() int { return len(p.types) }

// Type returns the type of a value. Its shape must not be written to.
func (p *Program) Type(value int) Type { return p.types[value] }

// InputValues, ConstantValues and OutputValues return the values that come from
// outside and that leave the program. They must not be written to.
func (p *Program) InputValues() []int    { return p.inputs }
func (p *Program) ConstantValues() []int { return p.constants }
func (p *Program) OutputValues() []int   { return p.outputs }

// Inputs returns the types of the data that each call brings.
func (p *Program) Inputs() []Type { return p.typesOf(p.inputs) }

// Constants returns the types of the constants.
func (p *Program) Constants() []Type { return p.typesOf(p.constants) }

// Outputs returns the types of the results.
func (p *Program) Outputs() []Type { return p.typesOf(p.outputs) }

func (p *Program) typesOf(values []int) []Type {
	types := make([]Type, len(values))
	for i, v := range values {
		types[i] = p.types[v]
	}
	return types
}

// Cost returns what a run takes.
func (p *Program) Cost() Cost { return p.cost }

// Encode returns the program in its canonical binary form, see FORMAT.md. Equal
// programs have equal encodings.
func (p *Program) Encode() []byte { return slices.Clone(p.encoded) }

// A Key identifies a program without its data.
type Key [sha256.Size]byte

// Key returns the hash of the program's encoding: backends keep what they have
// compiled under it, and calls of the same program can be batched.
func (p *Program) Key() Key { return sha256.Sum256(p.encoded) }
