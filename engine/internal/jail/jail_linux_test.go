//go:build linux && (amd64 || arm64)

package jail

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// prisoner is the name by which the test's program knows that it is to be locked up.
const prisoner = "spore-jail-test"

func TestMain(m *testing.M) {
	if os.Args[0] == prisoner {
		os.Exit(runPrisoner())
	}
	os.Exit(m.Run())
}

// findings are what a locked up process could and could not do.
type findings struct {
	Report   Report
	Error    string
	Tried    map[string]string // what must fail → its error, "" if it did not
	Useful   map[string]string // what must work → its error
	Secret   string            // read from a file that was open before
	OnThread string            // error of opening a file on a thread that is older than the jail
}

func runPrisoner() int {
	f := findings{Tried: map[string]string{}, Useful: map[string]string{}}
	secret, err := os.CreateTemp("", "spore-jail-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Remove(secret.Name())
	secret.WriteString("secret")
	older, result := make(chan bool), make(chan string)
	go func() {
		runtime.LockOSThread()
		<-older
		_, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
		result <- fmt.Sprint(err)
	}()
	if f.Report, err = Enter(); err != nil {
		f.Error = err.Error()
	} else {
		close(older)
		f.OnThread = <-result
		b := make([]byte, 16)
		n, _ := secret.ReadAt(b, 0)
		f.Secret = string(b[:n])
		try(&f)
	}
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return 1
	}
	return 0
}

func try(f *findings) {
	bad := func(what string, nr uintptr, a, b, c, d, e uintptr) {
		_, _, errno := unix.Syscall6(nr, a, b, c, d, e, 0)
		f.Tried[what] = ""
		if errno != 0 {
			f.Tried[what] = errno.Error()
		}
	}
	path := append([]byte("/etc/passwd"), 0)
	name := uintptr(unsafe.Pointer(&path[0]))
	dir := ^uintptr(99) // AT_FDCWD
	bad("open a file", unix.SYS_OPENAT, dir, name, unix.O_RDONLY, 0, 0)
	bad("look at a file", unix.SYS_FACCESSAT, dir, name, 0, 0, 0)
	bad("remove a file", unix.SYS_UNLINKAT, dir, name, 0, 0, 0)
	bad("open a socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0, 0, 0)
	bad("open a local socket", unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0, 0, 0)
	bad("run a program", unix.SYS_EXECVE, name, 0, 0, 0, 0)
	bad("fork", unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0)
	bad("signal the parent", unix.SYS_KILL, uintptr(os.Getppid()), 0, 0, 0, 0)
	bad("signal a thread of the parent", unix.SYS_TGKILL, uintptr(os.Getppid()), uintptr(os.Getppid()), 0, 0, 0)
	bad("trace the parent", unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(os.Getppid()), 0, 0, 0)
	bad("read the parent's memory", unix.SYS_PROCESS_VM_READV, uintptr(os.Getppid()), 0, 0, 0, 0)
	bad("map executable memory", unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0))
	bad("change limits", unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CORE, 0, 0, 0)
	bad("load a filter", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0, 0, 0)
	bad("make a namespace", unix.SYS_UNSHARE, unix.CLONE_NEWUSER, 0, 0, 0, 0)
	bad("use io_uring", unix.SYS_IO_URING_SETUP, 1, 0, 0, 0, 0)
	bad("use bpf", unix.SYS_BPF, 0, 0, 0, 0, 0)

	useful := func(what string, err error) {
		f.Useful[what] = ""
		if err != nil {
			f.Useful[what] = err.Error()
		}
	}
	mem, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	useful("map memory", err)
	if err == nil {
		f.Tried["make memory executable"] = fmt.Sprint(unix.Mprotect(mem, unix.PROT_READ|unix.PROT_EXEC))
		useful("unmap it", unix.Munmap(mem))
	}
	fd, err := unix.MemfdCreate("spore-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	useful("make a memory file", err)
	if err == nil {
		useful("size it", unix.Ftruncate(fd, 1<<16))
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW)
		useful("seal it", err)
		useful("close it", unix.Close(fd))
	}
	// Many goroutines that block in the kernel need new threads; memory for all
	// needs the collector.
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			runtime.LockOSThread()
			time.Sleep(time.Millisecond)
			_ = make([]byte, 1<<20)
		})
	}
	wg.Wait()
	runtime.GC()
	useful("start threads", nil)
}

func TestEnter(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = prisoner
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var f findings
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if f.Error != "" {
		t.Fatal(f.Error)
	}
	t.Logf("%+v", f.Report)
	if !f.Report.Seccomp {
		t.Error("no seccomp")
	}
	if f.Report.Landlock == 0 && f.Report.Note == "" {
		t.Error("nothing says why there is no landlock")
	}
	eperm := unix.EPERM.Error()
	for what, err := range f.Tried {
		if err != eperm {
			t.Errorf("%s: %q, want %q", what, err, eperm)
		}
	}
	for what, err := range f.Useful {
		if err != "" {
			t.Errorf("%s: %s", what, err)
		}
	}
	if len(f.Tried) < 18 || len(f.Useful) < 7 {
		t.Errorf("tried %d and %d things only", len(f.Tried), len(f.Useful))
	}
	if f.OnThread != eperm {
		t.Errorf("on a thread that is older than the jail: %s", f.OnThread)
	}
	if f.Secret != "" {
		t.Errorf("read %q from a file that was open before", f.Secret)
	}
}
