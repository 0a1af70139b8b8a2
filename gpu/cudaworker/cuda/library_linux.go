package cuda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ebitengine/purego"
)

// A library is a shared library of which some functions are known.
type library struct {
	path    string
	symbols []symbol
	address []uintptr
}

// call calls a function. Addresses among args must be of memory that does not move and is not collected while the
// function uses it. It is the hot path: there is no reflection in it.
func (l *library) call(f int, args ...uintptr) uintptr {
	if len(args) != l.symbols[f].args {
		panic(fmt.Sprintf("cuda: %d arguments for %s", len(args), l.symbols[f].name))
	}
	r, _, _ := purego.SyscallN(l.address[f], args...)
	return r
}

// openLibrary opens the first library of these names that is there and has all symbols. path, if not empty, is the only one that is tried. beside are names
// of libraries that it needs and may not find by itself, as they lie beside it.
func openLibrary(path string, names, dirs []string, symbols []symbol, beside ...string) (*library, error) {
	var tries []string
	switch {
	case path != "":
		tries = []string{path}
	default:
		for _, n := range names {
			for _, d := range dirs {
				tries = append(tries, filepath.Join(d, n))
			}
			tries = append(tries, n) // where the system looks
		}
	}
	var all error
	for _, p := range tries {
		if strings.Contains(p, "/") {
			if _, err := os.Stat(p); err != nil {
				if path != "" {
					all = errors.Join(all, err)
				}
				continue
			}
			for _, b := range beside {
				// A failure shows when the library itself is opened.
				_, _ = purego.Dlopen(filepath.Join(filepath.Dir(p), b), purego.RTLD_NOW|purego.RTLD_GLOBAL)
			}
		}
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			all = errors.Join(all, err)
			continue
		}
		l := &library{path: p, symbols: symbols, address: make([]uintptr, len(symbols))}
		var missing error
		for i, s := range symbols {
			if l.address[i], err = purego.Dlsym(h, s.name); err != nil {
				missing = errors.Join(missing, fmt.Errorf("%s has no %s", p, s.name))
			}
		}
		if missing == nil {
			return l, nil
		}
		all = errors.Join(all, missing)
	}
	if all == nil {
		all = fmt.Errorf("none of %s is there", strings.Join(names, ", "))
	}
	return nil, all
}

// libraryDirs are where CUDA's libraries are if the system does not know them: a toolkit, and packages of Python.
func libraryDirs(first []string) []string {
	dirs := append([]string{}, first...)
	for _, pattern := range []string{
		"/usr/local/cuda/lib64", "/usr/local/cuda-*/lib64", "/opt/cuda/lib64",
		"/usr/lib/python3*/*-packages/nvidia/*/lib", "/usr/local/lib/python3*/*-packages/nvidia/*/lib",
		"/opt/*/.venv/lib/python3*/site-packages/nvidia/*/lib", "/opt/*/lib/python3*/site-packages/nvidia/*/lib",
	} {
		found, _ := filepath.Glob(pattern) // only a bad pattern is an error
		dirs = append(dirs, found...)
	}
	return dirs
}
