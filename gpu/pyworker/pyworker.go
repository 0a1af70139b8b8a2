// Package pyworker makes the workers of a [gpu.Pool] serve models written in Python, with PyTorch or anything else that Python
// can import. The embedder needs a Python interpreter of version 3.9 or later and a file of models; README.md says how one is written.
//
//	config, err := pyworker.Configure("models.py", gpu.Config{})
//	...
//	models, err := gpu.NewPool(config)
//	...
//	functions, err := models.Models(ctx) // starts a worker
//	...
//	grants := gpu.Functions(programs, gpu.Options{Functions: functions})
//
// Such a pool evaluates no programs: those need a pool of another kind of workers beside it, or else gpu.eval tells
// guests that the device has not this operation.
package pyworker

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sporeengine/spore/gpu"
)

//go:embed worker.py
var script string

// Defaults of pools of Python workers, which load large libraries and do not stop between two lines of a
// program.
const (
	DefaultStartTimeout = 2 * time.Minute
	DefaultGrace        = 2 * time.Second
	DefaultInFlight     = 256 // the most that there can be
)

// Configure returns c with what makes its workers serve the models of a file.
//
// c.Command is the interpreter and its options; empty means python3 from PATH, which is run once to find out where it is. c.Env is the environment of
// the workers, of which files of models and their libraries may want PATH, HOME, LD_LIBRARY_PATH or CUDA_VISIBLE_DEVICES: nothing is
// inherited. StartTimeout and Grace get defaults of their own, as Python takes longer than others to start and
// to stop, and InFlight, as a stream takes up a place all the time. Calls travel through pipes.
func Configure(models string, c gpu.Config) (gpu.Config, error) {
	path, err := filepath.Abs(models)
	if err != nil {
		return c, fmt.Errorf("pyworker: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return c, fmt.Errorf("pyworker: %w", err)
	}
	interpreter := c.Command
	if len(interpreter) == 0 {
		python, err := Find()
		if err != nil {
			return c, err
		}
		interpreter = []string{python}
	}
	c.Command = Command(interpreter, path)
	c.Name = interpreter[0] // by which Python finds its libraries
	c.Pipes = true
	if c.StartTimeout <= 0 {
		c.StartTimeout = DefaultStartTimeout
	}
	if c.Grace <= 0 {
		c.Grace = DefaultGrace
	}
	if c.InFlight <= 0 {
		c.InFlight = DefaultInFlight
	}
	return c, nil
}

// Command returns the command of a worker: the interpreter with its options, and what makes it serve the models of a
// file, whose path has to be absolute. [Configure] calls it.
func Command(interpreter []string, models string) []string {
	return append(append([]string{}, interpreter...), "-B", "-X", "utf8", "-c", script, models)
}

// Find returns the path of the Python interpreter that python3 is for this process. It runs it, because what is in PATH may be a
// script that chooses one by an environment which workers do not have.
func Find() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", "-c", "import sys; assert sys.version_info >= (3, 9), 'it is older than 3.9'; print(sys.executable)")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	path := strings.TrimSpace(string(out))
	switch {
	case err != nil:
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return "", fmt.Errorf("pyworker: no Python 3.9 or later: %w %s", err, lines[len(lines)-1])
	case !filepath.IsAbs(path):
		return "", errors.New("pyworker: Python does not know where it is")
	}
	return path, nil
}
