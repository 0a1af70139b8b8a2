package abi

import (
	"encoding/json"
	"testing"
)

func TestCheckBuffers(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		ok   bool
	}{
		{`1`, 0, true}, {`{"$bytes":0}`, 0, false}, {`{"$bytes":0}`, 1, true}, {`1`, 1, false},
		{`[{"$bytes":1},{"a":{"$bytes":0}}]`, 2, true}, {`[{"$bytes":1},{"$bytes":1}]`, 2, false},
		{" [ { \"$bytes\" \n:\t1 } , {\"\\u0024byte\\u0073\":0} ] ", 2, true},
		{`{"$bytes":0,"a":1}`, 1, false}, {`{"a":1,"$bytes":0}`, 1, false}, {`{"$bytes":0.0}`, 1, false},
		{`{"$bytes":{"$bytes":0}}`, 1, false}, {`{"$bytes":1}`, 1, false}, {`{"$bytes":99999999999999999999999}`, 1, false},
		{`["$bytes",0,"\"$bytes\":0","\\"]`, 0, true}, {`{"x":"$bytes"}`, 0, true}, {`{"$bytes\\":0}`, 0, true}, {`{"\u00e4":1}`, 0, true},
	} {
		if err := CheckBuffers([]byte(c.text), c.n); (err == nil) != c.ok {
			t.Errorf("%s with %d buffers: %v", c.text, c.n, err)
		}
	}
}

// references collects the buffers to which a decoded value refers.
func references(v any, to map[float64]int) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			references(e, to)
		}
	case map[string]any:
		for k, e := range v {
			if k == "$bytes" {
				f, ok := e.(float64)
				if !ok || len(v) != 1 {
					f = -1
				}
				to[f]++
			}
			references(e, to)
		}
	}
}

// FuzzCheckBuffers: what is accepted refers, for one who decodes it, to each
// buffer exactly once.
func FuzzCheckBuffers(f *testing.F) {
	f.Add([]byte(`[{"$bytes":1},{ "\u0024bytes" : 0 },"$bytes",{"a":"\\"}]`), uint8(2))
	f.Add([]byte(`{"$bytes":0,"$bytes":0}`), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, n uint8) {
		var v any
		if json.Unmarshal(text, &v) != nil || CheckBuffers(text, int(n)) != nil {
			return
		}
		to := map[float64]int{}
		references(v, to)
		for k := range int(n) {
			if to[float64(k)] != 1 {
				t.Fatalf("%s was accepted: buffer %d is referred to %d times", text, k, to[float64(k)])
			}
		}
		if len(to) != int(n) {
			t.Fatalf("%s was accepted with %d buffers: it refers to %v", text, n, to)
		}
	})
}
