package javascript_test

import (
	"testing"

	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/runtimestest"
)

// TestReactCorpus compares components, byte for byte, with the HTML that React
// from npm made of them on Node (build/reference.mjs).
func TestReactCorpus(t *testing.T) {
	rt := javascript.Runtime()
	runtimestest.Corpus(t, runtimestest.Engine(t, rt, cacheDir), rt, "testdata/react", ".html", 30)
}
