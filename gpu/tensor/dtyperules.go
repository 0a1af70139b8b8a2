package tensor

import "fmt"

// A DTypeRule says how the type of an operation's first result follows from those of its inputs. The
// second result, if there is one, is int64 always.
type DTypeRule struct {
	// Name is one of
	//
	//	declared   the node says it
	//	converted  the node says it, whatever the input is
	//	promoted   the common type of the inputs from First on; those before are bool
	//	same       as the input
	//	fixed      Result; the inputs must have a common type
	//	summed     as the input if that is a float, else int64
	//	indexed    as the first input; the second is int32 or int64
	Name string

	// Bool, Int and Float tell which types are taken: of the inputs, or for the result if there is none.
	Bool, Int, Float bool

	First  int
	Result DType
}

func ruleOf(name string, k kind) DTypeRule {
	return DTypeRule{Name: name, Bool: k&kindBool != 0, Int: k&kindInt != 0, Float: k&kindFloat != 0}
}

// A dtypeRule infers the type of the first result. The second one, if there is one,
// is int64 always.
type dtypeRule struct {
	rule  DTypeRule
	doc   string
	infer func(n *Node, in []Type) (DType, error)
	free  bool // the node says its type; otherwise it only repeats what is inferred
}

// declared: the node says its type itself.
func declared(k kind) dtypeRule {
	return dtypeRule{rule: ruleOf("declared", k), doc: fmt.Sprintf("(%s) says the node", k), free: true, infer: func(n *Node, _ []Type) (DType, error) {
		if !n.DType.in(k) {
			return 0, fmt.Errorf("%s is not supported: %s are", n.DType, k)
		}
		return n.DType, nil
	}}
}

// promoted: the common type of all inputs from the one of number first on.
func promoted(k kind, first int) dtypeRule {
	doc := fmt.Sprintf("(%s) promoted", k)
	if first > 0 {
		doc = fmt.Sprintf("bool, then (%s) promoted", k)
	}
	rule := ruleOf("promoted", k)
	rule.First = first
	return dtypeRule{rule: rule, doc: doc, infer: func(_ *Node, in []Type) (DType, error) {
		for i := range in[:first] {
			if in[i].DType != Bool {
				return 0, fmt.Errorf("input %d is %s: bool is expected", i, in[i].DType)
			}
		}
		return promoteAll(in[first:], k)
	}}
}

// same: the type of the only (or the first) input.
func same(k kind) dtypeRule {
	return dtypeRule{rule: ruleOf("same", k), doc: fmt.Sprintf("(%s) as the input", k), infer: func(_ *Node, in []Type) (DType, error) {
		return promoteAll(in[:1], k)
	}}
}

// fixed: inputs of kind k that can be promoted, a result of type d.
func fixed(k kind, d DType) dtypeRule {
	rule := ruleOf("fixed", k)
	rule.Result = d
	return dtypeRule{rule: rule, doc: fmt.Sprintf("(%s) to %s", k, d), infer: func(_ *Node, in []Type) (DType, error) {
		_, err := promoteAll(in, k)
		return d, err
	}}
}

// converted: any input, the node says the type of the result.
var converted = dtypeRule{rule: ruleOf("converted", kindAny), doc: "any to what the node says", free: true, infer: func(n *Node, _ []Type) (DType, error) {
	return n.DType, nil
}}

// summed: floats stay, integers and bools become int64.
var summed = dtypeRule{rule: ruleOf("summed", kindAny), doc: "floats as the input, bool and integers to int64", infer: func(_ *Node, in []Type) (DType, error) {
	if in[0].DType.IsFloat() {
		return in[0].DType, nil
	}
	return Int64, nil
}}

// indexed: the type of the first input; the second one is of int32 or int64.
var indexed = dtypeRule{rule: ruleOf("indexed", kindAny), doc: "as the first input; the indices are int32 or int64", infer: func(_ *Node, in []Type) (DType, error) {
	if d := in[1].DType; d != Int32 && d != Int64 {
		return 0, fmt.Errorf("indices are %s: int32 or int64 is expected", d)
	}
	return in[0].DType, nil
}}

func promoteAll(in []Type, k kind) (DType, error) {
	d := in[0].DType
	for i := range in {
		if !in[i].DType.in(k) {
			return 0, fmt.Errorf("%s is not supported: %s are", in[i].DType, k)
		}
		p, ok := Promote(d, in[i].DType)
		if !ok {
			return 0, fmt.Errorf("%s and %s do not mix: use astype", d, in[i].DType)
		}
		d = p
	}
	return d, nil
}
