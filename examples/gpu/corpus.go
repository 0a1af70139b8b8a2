package main

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// vectorSize is the length of the vectors of texts.
const vectorSize = 384

// A corpus is made-up texts and their vectors, which are a constant that all tenants of a pool may use.
type corpus struct {
	texts   []string
	vectors []byte // float32[len(texts), vectorSize]
	digest  string
}

// What texts are made of.
var (
	manners = strings.Fields("quiet bright broken hidden ancient frozen gentle electric wandering golden hollow patient restless salted silver tangled velvet winter wooden distant")
	things  = strings.Fields("lighthouse orchard telescope bicycle library harbour violin greenhouse compass railway bakery glacier beehive lantern workshop windmill observatory aqueduct carousel typewriter submarine kitchen volcano meadow")
	deeds   = strings.Fields("repairs paints maps sells studies guards collects photographs rebuilds remembers measures designs")
	persons = strings.Fields("sailor gardener mathematician baker watchmaker geologist nurse pianist carpenter astronomer librarian beekeeper engineer poet diver blacksmith")
	places  = strings.Fields("lisbon kyoto nairobi oslo quito tbilisi hanoi reykjavik dakar valparaiso samarkand tallinn bergen cusco zagreb")
)

// newCorpus makes n texts and their vectors. They are the same each time.
func newCorpus(n int) *corpus {
	random := rand.New(rand.NewPCG(1, 2))
	one := func(words []string) string { return words[random.IntN(len(words))] }
	c := &corpus{texts: make([]string, n), vectors: make([]byte, 4*vectorSize*n)}
	for i := range c.texts {
		c.texts[i] = "the " + one(manners) + " " + one(persons) + " " + one(deeds) + " the " + one(manners) + " " + one(things) + " in " + one(places)
	}
	var wg sync.WaitGroup
	part := (n + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for from := 0; from < n; from += part {
		wg.Go(func() {
			for i := from; i < min(from+part, n); i++ {
				for j, x := range vectorOf(c.texts[i]) {
					binary.LittleEndian.PutUint32(c.vectors[4*(vectorSize*i+j):], math.Float32bits(x))
				}
			}
		})
	}
	wg.Wait()
	return c
}

// vectorOf counts words, and groups of three letters, into a vector of length 1. The component does the same with its query.
func vectorOf(text string) []float32 {
	v := make([]float64, vectorSize)
	count := func(feature string, weight float64) {
		h := fnv.New32a()
		h.Write([]byte(feature))
		n := h.Sum32()
		if n>>31 == 1 {
			weight = -weight
		}
		v[n%vectorSize] += weight
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		count(word, 1)
		marked := "^" + word + "$"
		for i := range len(marked) - 2 {
			count(marked[i:i+3], 0.5)
		}
	}
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	length := math.Sqrt(sum)
	if length == 0 {
		length = 1
	}
	unit := make([]float32, vectorSize)
	for i, x := range v {
		unit[i] = float32(x / length)
	}
	return unit
}

// share makes the vectors a constant of the pool.
func (c *corpus) share(p *gpu.Pool) error {
	id, err := p.ShareConstant(tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{len(c.texts), vectorSize}}, c.vectors)
	c.digest = id.String()
	return err
}

type textsArg struct {
	Indices []int `json:"indices"`
}

type textsResult struct {
	Texts []string `json:"texts"`
}

// function is what components get texts by.
func (c *corpus) function() hostfuncs.Func {
	return hostfuncs.New("corpus.texts", "The texts with these indices.", func(_ context.Context, a textsArg) (textsResult, error) {
		r := textsResult{Texts: make([]string, len(a.Indices))}
		for i, n := range a.Indices {
			if n < 0 || n >= len(c.texts) {
				return r, hostfuncs.Errorf(hostfuncs.CodeInvalid, "there is no text %d", n)
			}
			r.Texts[i] = c.texts[n]
		}
		return r, nil
	})
}
