package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLinkedSize keeps what package gpu adds to a server that embeds Spore, and that such a server stays a static
// program. Its workers may be other programs, so the CPU backend is not in it; what that adds is logged.
func TestLinkedSize(t *testing.T) {
	const most = 1_000_000
	size := map[string]int64{}
	for _, name := range []string{"engine", "gpu", "cpu"} {
		path := filepath.Join(t.TempDir(), name)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./link/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size[name] = info.Size()
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s is not static: it has a segment of type %v", name, p.Type)
			}
		}
		f.Close()
	}
	added := size["gpu"] - size["engine"]
	t.Logf("a server of %d bytes: gpu adds %d, its CPU backend %d more", size["engine"], added, size["cpu"]-size["gpu"])
	if added > most {
		t.Errorf("gpu adds %d bytes, more than %d", added, most)
	}
}
