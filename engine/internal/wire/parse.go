package wire

import (
	"encoding/binary"
	"fmt"
)

// Bounds of what a body may hold.
const maxInts = 64

// A decoder takes a body apart. After an error it returns zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
	}
	d.b = nil
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail("%d bytes where %d should be", len(d.b), n)
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) uint() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) int() int64 { return int64(d.uint()) }

func (d *decoder) blob() []byte { return d.take(d.uint()) }

func (d *decoder) bool() bool {
	b := d.take(1)
	if len(b) == 1 && b[0] > 1 {
		d.fail("truth value %d", b[0])
	}
	return len(b) == 1 && b[0] == 1
}

func (d *decoder) digest() (v [32]byte) {
	copy(v[:], d.take(32))
	return v
}

func (d *decoder) ints() []int64 {
	n := d.uint()
	if n > maxInts {
		d.fail("%d numbers, more than %d", n, maxInts)
		return nil
	}
	b := d.take(8 * n)
	v := make([]int64, len(b)/8)
	for i := range v {
		v[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return v
}

func (d *decoder) modules() (modules []Module) {
	for n := d.uint(); n > 0 && d.err == nil; n-- { // each takes some of the body
		modules = append(modules, Module{d.blob(), d.blob(), d.blob()})
	}
	return modules
}

// end returns the first error. What is left over is one.
func (d *decoder) end(t Type) error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	if d.err != nil {
		return fmt.Errorf("frame of type %d: %w", t, d.err)
	}
	return nil
}

// Parse returns the message in a frame, which shares the memory of body.
func Parse(t Type, body []byte) (Message, error) {
	d := &decoder{b: body}
	var m Message
	switch t {
	case TypeCompile:
		m = &Compile{ID: d.uint(), Name: d.blob(), Code: d.blob(), Modules: d.modules()}
	case TypeRender:
		m = &Render{ID: d.uint(), Digest: d.digest(), Snapshot: d.blob(), Limits: d.ints(), Console: d.bool(), Grants: d.int(), Fixed: d.bool(),
			Now: d.int(), Seed: d.uint(), Function: d.blob(), Arg: d.blob(), Session: d.bool(), GoOn: d.bool(), State: d.blob(), Modules: d.modules()}
	case TypeForget:
		m = &Forget{Digest: d.digest()}
	case TypeCancel:
		m = &Cancel{ID: d.uint()}
	case TypeHostReply:
		m = &HostReply{ID: d.uint(), Call: d.uint(), Reply: d.blob()}
	case TypeHostCall:
		m = &HostCall{ID: d.uint(), Call: d.uint(), Blocking: d.bool(), Name: d.blob(), Frame: d.blob()}
	case TypeGiveUp:
		m = &GiveUp{ID: d.uint(), Call: d.uint()}
	case TypeSuspend:
		m = &Suspend{ID: d.uint()}
	case TypeConsole:
		m = &Console{ID: d.uint(), Level: d.int(), Text: d.blob()}
	case TypeResult:
		m = &Result{ID: d.uint(), Status: d.int(), Usage: d.ints(), Data: d.blob(), State: d.blob()}
	case TypeCompiled:
		m = &Compiled{ID: d.uint(), Usage: d.ints(), Snapshot: d.blob()}
	case TypeFailed:
		m = &Failed{ID: d.uint(), Usage: d.ints(), Error: d.blob(), State: d.blob()}
	case TypeStart, TypeReady, TypeProgress:
		return Raw{t, body}, nil
	default:
		return nil, fmt.Errorf("%w: frame of unknown type %d", ErrProtocol, t)
	}
	if err := d.end(t); err != nil {
		return nil, err
	}
	return m, nil
}
