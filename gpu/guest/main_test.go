package guest_test

import (
	"log"
	"os"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// shared renders the components of these tests in this process.
var shared *engine.Engine

// cacheDir keeps the interpreters that were compiled.
var cacheDir string

// patient bears a busy machine.
var patient = engine.Limits{CallTime: time.Minute}

func TestMain(m *testing.M) {
	gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{}) })
	engine.ServeWorker(allRuntimes()...)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if cacheDir, err = os.MkdirTemp("", "spore-gpu-guest-test-"); err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(cacheDir)
	if shared, err = engine.New(engine.Config{Runtimes: allRuntimes(), Limits: patient, CacheDir: cacheDir}); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	if err := shared.Close(); err != nil {
		log.Print(err)
		return 1
	}
	return code
}

func allRuntimes() []runtimes.Runtime {
	return []runtimes.Runtime{javascript.Runtime(), python.Runtime()}
}
