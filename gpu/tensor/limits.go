package tensor

import "fmt"

// Limits bound programs before they run. A field that is not positive means its
// default.
type Limits struct {
	Nodes    int   // operations of a program
	Rank     int   // dimensions of a tensor
	Elements int64 // elements of a tensor
	Bytes    int64 // of an encoded program
	Work     int64 // see [Cost.Work]
	Peak     int64 // see [Cost.Peak]: bytes
}

// Default values of the fields of [Limits].
const (
	DefaultNodes    = 1024
	DefaultRank     = 8
	DefaultElements = 1 << 28
	DefaultBytes    = 1 << 20
	DefaultWork     = 100_000_000_000
	DefaultPeak     = 256 << 20

	// maxLength bounds each length and attribute, so that sums of some of them do
	// not overflow.
	maxLength = 1<<31 - 1
	maxRank   = 32 // of any program, whatever the limits
)

// withDefaults returns l with its defaults put in.
func (l Limits) withDefaults() Limits {
	if l.Nodes <= 0 {
		l.Nodes = DefaultNodes
	}
	if l.Rank <= 0 {
		l.Rank = DefaultRank
	}
	l.Rank = min(l.Rank, maxRank)
	if l.Elements <= 0 {
		l.Elements = DefaultElements
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Work <= 0 {
		l.Work = DefaultWork
	}
	if l.Peak <= 0 {
		l.Peak = DefaultPeak
	}
	return l
}

// Check returns an error that matches [ErrLimit] if p is over limits: those of a host
// that has got a program that was decoded elsewhere.
func (p *Program) Check(limits Limits) error {
	l := limits.withDefaults()
	if err := l.checkSize(len(p.nodes), len(p.encoded)); err != nil {
		return err
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		for r := range n.Op.Results() {
			if err := l.checkType(p.types[n.Out+r]); err != nil {
				return &NodeError{Node: i, Op: n.Op, In: p.typesOf(n.In), Err: err}
			}
		}
	}
	return l.checkCost(p.cost)
}

func (l *Limits) checkSize(nodes, bytes int) error {
	if nodes > l.Nodes {
		return fmt.Errorf("%w: %d nodes, at most %d", ErrLimit, nodes, l.Nodes)
	}
	if int64(bytes) > l.Bytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, bytes, l.Bytes)
	}
	return nil
}

func (l *Limits) checkType(t Type) error {
	if len(t.Shape) > l.Rank {
		return &reason{fmt.Sprintf("the result has rank %d: at most %d is supported", len(t.Shape), l.Rank), ErrLimit}
	}
	if size := t.Size(); size > l.Elements {
		return &reason{fmt.Sprintf("the result %s has %d elements: at most %d are supported", t.Shape, size, l.Elements), ErrLimit}
	}
	return nil
}

func (l *Limits) checkCost(c Cost) error {
	if c.Work > l.Work {
		return fmt.Errorf("%w: %d operations of work, at most %d", ErrLimit, c.Work, l.Work)
	}
	if c.Peak > l.Peak {
		return fmt.Errorf("%w: %d bytes of memory at one time, at most %d", ErrLimit, c.Peak, l.Peak)
	}
	return nil
}
