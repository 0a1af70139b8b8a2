package python_test

import (
	"testing"

	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/runtimes/runtimestest"
)

// TestCorpus compares components with what native CPython of the same version
// made of them.
func TestCorpus(t *testing.T) {
	rt := python.Runtime()
	runtimestest.Corpus(t, runtimestest.Engine(t, rt, t.TempDir()), rt, "testdata", ".out", 30)
}
