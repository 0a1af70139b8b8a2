package rewrite_test

// branch generates br, br_if, br_table and return.
func (f *genFunc) branch() {
	s := f.s
	d := s.n(len(f.labels))
	l := f.labels[len(f.labels)-1-d]
	switch {
	case l.counter >= 0:
		f.back(d)
	case s.one(10):
		for _, t := range f.results {
			f.expr(t, 1)
			f.canonical(t)
		}
		f.op(0x0f)
	case s.one(5): // br, and code behind it that is not reached
		f.push(d, l)
		f.op(br, leb(d))
	case s.one(4):
		f.table(d, l)
	default:
		f.push(d, l)
		f.expr(i32, 1)
		f.op(brIf, leb(d))
		f.drop(len(l.types))
	}
}

// push generates the values that label d takes.
func (f *genFunc) push(d int, l genLabel) {
	for _, t := range l.types {
		f.expr(t, 1)
		if d == len(f.labels)-1 {
			f.canonical(t)
		}
	}
}

func (f *genFunc) drop(n int) {
	for range n {
		f.op(drop)
	}
}

// table generates a br_table to labels like d that are no loops.
func (f *genFunc) table(d int, l genLabel) {
	f.push(d, l)
	f.expr(i32, 1)
	if f.s.one(2) {
		f.op(i32Const, 3)
		f.op(i32And)
	}
	var like [][]byte
	for i, o := range f.labels {
		if o.counter < 0 && string(o.types) == string(l.types) {
			if e := len(f.labels) - 1 - i; e != len(f.labels)-1 || d == e || len(l.types) == 0 {
				like = append(like, leb(e))
			}
		}
	}
	var labels [][]byte
	for range f.s.n(5) {
		labels = append(labels, pick(f.s, like))
	}
	f.op(brTable, vec(labels...), leb(d))
}

// back generates a way back to the head of the loop at label d, which is taken
// only while its counter lasts.
func (f *genFunc) back(d int) {
	l := f.labels[len(f.labels)-1-d]
	f.push(d, l)
	c := leb(l.counter)
	f.op(localGet, c)
	f.op(i32Const, 1)
	f.op(i32Sub)
	f.op(localTee, c)
	f.op(i32Const, 0)
	f.op(0x4a) // gt_s
	switch {
	case len(l.types) == 0 && f.s.one(3):
		f.op(if_, void)
		f.op(br, leb(d+1))
		f.end()
	case len(l.types) == 0 && f.s.one(3):
		f.begin([]byte{void})
		// A condition from outside a block is not to be had inside.
		f.op(localGet, c)
		f.op(i32Const, 0)
		f.op(0x4a)
		f.op(brTable, vec(leb(0)), leb(d+1))
		f.end()
		f.op(drop)
	default:
		f.op(brIf, leb(d))
		f.drop(len(l.types))
	}
}

// blockType encodes the type of a block.
func (f *genFunc) blockType(params, results []byte) []byte {
	if len(params) == 0 && len(results) == 0 {
		return []byte{void}
	}
	if len(params) == 0 && len(results) == 1 && !f.s.one(4) {
		return results
	}
	return leb(f.typ(params, results))
}

// block generates a block, loop or if with what it takes from the stack.
func (f *genFunc) block(params, results []byte, depth int) {
	if len(f.labels) > 6 {
		for _, t := range results {
			f.leaf(t)
		}
		return
	}
	s := f.s
	kind := pick(s, []byte{block, loop, loop, if_})
	loops := 0
	for _, l := range f.labels {
		if l.counter >= 0 {
			loops++
		}
	}
	if loops == 3 && kind == loop {
		kind = block
	}
	label := genLabel{types: results, counter: -1}
	if kind == loop {
		c := f.local(i32)
		label = genLabel{types: params, counter: f.params + len(f.locals) - 1}
		f.op(i32Const, s.n(6))
		f.op(localSet, c)
	}
	for _, t := range params {
		f.expr(t, depth+1)
	}
	if kind == if_ {
		f.expr(i32, depth+1)
	}
	if t := f.blockType(params, results); kind == block {
		f.begin(t)
	} else {
		f.op(kind, t)
	}
	f.labels = append(f.labels, label)
	f.body(params, results, depth)
	// An if without else is of a type that does not change the stack.
	if kind == if_ && (string(params) != string(results) || s.one(2)) {
		f.alternative()
		f.body(params, results, depth)
	}
	f.labels = f.labels[:len(f.labels)-1]
	f.end()
}

// body generates what is in a block: the parameters go, the results come.
func (f *genFunc) body(params, results []byte, depth int) {
	s := f.s
	for i := len(params) - 1; i >= 0; i-- {
		if s.one(3) {
			f.op(drop)
		} else {
			f.op(localSet, f.variable(params[i]))
		}
	}
	for range s.n(4) {
		if f.left > 0 {
			f.statement()
		}
	}
	if l := f.labels[len(f.labels)-1]; l.counter >= 0 && !s.one(5) {
		f.back(0)
	}
	for _, t := range results {
		f.expr(t, depth+1)
	}
}
