package gpu

import (
	"fmt"

	"github.com/sporeengine/spore/gpu/tensor"
)

// CheckBuffers tells with [ErrArgument] whether data do not fit a program, for
// backends and those who call them.
func CheckBuffers(p *tensor.Program, inputs [][]byte, constants []ConstantID, outputs [][]byte) error {
	in, out := p.InputValues(), p.OutputValues()
	if len(inputs) != len(in) || len(outputs) != len(out) || len(constants) != len(p.ConstantValues()) {
		return fmt.Errorf("%w: %d inputs, %d constants and %d outputs for %d, %d and %d",
			ErrArgument, len(inputs), len(constants), len(outputs), len(in), len(p.ConstantValues()), len(out))
	}
	for i, v := range in {
		t := p.Type(v)
		if int64(len(inputs[i])) != t.Bytes() {
			return fmt.Errorf("%w: input %d has %d bytes, %s has %d", ErrArgument, i, len(inputs[i]), t, t.Bytes())
		}
		if err := CheckBools(t, inputs[i]); err != nil {
			return err
		}
	}
	for i, v := range out {
		t := p.Type(v)
		if int64(len(outputs[i])) != t.Bytes() {
			return fmt.Errorf("%w: output %d has %d bytes, %s has %d", ErrArgument, i, len(outputs[i]), t, t.Bytes())
		}
	}
	return nil
}

// CheckBools tells with [ErrArgument] whether data of type bool have a byte that is
// neither 0 nor 1, which backends need not expect.
func CheckBools(t tensor.Type, data []byte) error {
	if t.DType != tensor.Bool {
		return nil
	}
	or := byte(0)
	for _, b := range data {
		or |= b
	}
	if or > 1 {
		return fmt.Errorf("%w: a bool that is neither 0 nor 1", ErrArgument)
	}
	return nil
}
