// Package fakelibs builds libraries that look like those of CUDA and compute on the processor, for tests: a driver, a compiler that has cc compile
// kernels, and products of matrices. What they hold kernels and bindings to, and what not, is in the README of the module.
package fakelibs

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed testdata
var sources embed.FS

// Libraries are the paths of the libraries.
type Libraries struct{ CUDA, NVRTC, CUBLAS string }

// Build compiles the libraries into a directory, where their sources have to stay. flags are for cc, as "-DILLEGAL_AFTER=10": so many launches
// work, and then the context is broken.
func Build(dir string, flags ...string) (l Libraries, err error) {
	source, err := filepath.Abs(filepath.Join(dir, "testdata"))
	if err != nil {
		return l, err
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return l, err
	}
	for name, path := range map[string]*string{"fakecuda": &l.CUDA, "fakenvrtc": &l.NVRTC, "fakecublas": &l.CUBLAS} {
		*path = filepath.Join(dir, "lib"+name+".so")
		args := append([]string{"-O2", "-fPIC", "-shared", fmt.Sprintf("-DTESTDATA=%q", source), "-o", *path, filepath.Join(source, name+".c"), "-ldl", "-lpthread"}, flags...)
		if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
			return l, fmt.Errorf("cc %s: %w: %s", name, err, out)
		}
	}
	return l, nil
}
