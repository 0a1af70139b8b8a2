package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// machine describes where the program runs. What the system does not tell is
// left out.
func machine(ctx context.Context) (rows [][2]string) {
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	cpu := field("/proc/cpuinfo", "model name")
	if strings.Contains(" "+field("/proc/cpuinfo", "flags")+" ", " hypervisor ") {
		cpu += ", in a virtual machine"
	}
	add("CPU", cpu)
	add("cores", fmt.Sprintf("%d, GOMAXPROCS %d", runtime.NumCPU(), runtime.GOMAXPROCS(0)))
	if kib, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		add("memory", significant(float64(kib)/(1<<20))+" GiB")
	}
	system := runtime.GOOS + "/" + runtime.GOARCH
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		system += ", kernel " + strings.TrimSpace(string(b))
	}
	add("system", system)
	add("Go", runtime.Version())
	add("Spore", revision(ctx))
	return rows
}

// revision names the commit of the working tree.
func revision(ctx context.Context) string {
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return ""
	}
	name := string(bytes.TrimSpace(commit))
	if changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changes) > 0 {
		name += " with changes"
	}
	return name
}

// modules returns the versions of the modules that this program measures.
func modules() (rows [][2]string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	versions := map[string]string{}
	for _, m := range info.Deps {
		versions[m.Path] = m.Version
	}
	for _, m := range [][2]string{
		{"wazero", "github.com/tetratelabs/wazero"},
		{"esbuild", "github.com/evanw/esbuild"},
		{"goja (peer)", "github.com/dop251/goja"},
		{"modernc.org/quickjs (peer)", "modernc.org/quickjs"},
		{"go.starlark.net (peer)", "go.starlark.net"},
	} {
		rows = append(rows, [2]string{m[0], versions[m[1]]})
	}
	return rows
}

// field returns the value of the first line of a file of "name : value" lines,
// as Linux has them in /proc, or "".
func field(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// processMemory returns one of the sizes in /proc/self/status.
func processMemory(name string) string {
	kib, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/self/status", name), " kB"), 10, 64)
	if err != nil {
		return ""
	}
	return mebibytes(kib << 10)
}

// loadAverage returns the numbers of runnable tasks over the last 1, 5 and 15 minutes.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// stolen returns the time that the hypervisor gave to others, and all time, in
// ticks since the system started.
func stolen() (steal, total int64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	const stealColumn, guestColumn = 8, 9 // columns from guest on are counted in others
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil || i >= guestColumn {
			continue
		}
		total += n
		if i == stealColumn {
			steal = n
		}
	}
	return steal, total
}
