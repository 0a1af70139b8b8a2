//go:build linux && (amd64 || arm64)

package jail

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Enter locks the process up, all threads of it. An error means that the
// process must not run what should be locked up.
func Enter() (Report, error) {
	var r Report
	// The kernel should rather end a worker than the server, and a core dump
	// would hold what guests know. That either works is no condition.
	os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	if err := coverFiles(); err != nil {
		return r, fmt.Errorf("jail: close inherited files: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return r, fmt.Errorf("jail: PR_SET_DUMPABLE: %w", err)
	}
	var err error
	if r.Landlock, err = landlock(); err != nil {
		r.Note = "landlock: " + err.Error()
	}
	if err := seccomp(filter()); err != nil {
		return r, fmt.Errorf("jail: seccomp: %w", err)
	}
	r.Seccomp = true
	return r, nil
}

// coverFiles puts /dev/null in the place of all open files but the three
// standard ones, those of this package's user and those of the Go runtime: what
// the program has opened before main, or inherited. They are not closed, because
// whoever has opened them may do so later, when the number is another's.
func coverFiles() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(null)
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return err
		}
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || fd <= 2 || fd == null || isOurs(target) {
			continue // it may be the directory that was read
		}
		if err := unix.Dup3(null, fd, unix.O_CLOEXEC); err != nil {
			return err
		}
	}
	return nil
}

func isOurs(target string) bool {
	return target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]" ||
		strings.HasPrefix(target, "/memfd:spore-image") || strings.HasSuffix(target, "/pagemap") ||
		strings.HasPrefix(target, "/sys/fs/cgroup/") // by which the Go runtime knows its share of processors
}

// landlock gives up the rights to all files, and to what else the kernel's version of
// landlock knows. It returns this version.
func landlock() (version int, err error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	version = int(v)
	// Each version added some rights at the end.
	files := map[int]uint64{1: 1<<13 - 1, 2: 1<<14 - 1, 3: 1<<15 - 1, 4: 1<<15 - 1}[version]
	if version > 4 {
		files = 1<<16 - 1
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: files}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if version >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size += unsafe.Sizeof(attr.Handled_access_net)
	}
	if version >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
		size += unsafe.Sizeof(attr.Scoped)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return 0, errno
	}
	defer unix.Close(int(fd))
	// Landlock is a property of each thread.
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		if errno == syscall.ENOTSUP {
			return 0, errors.New("a program with cgo cannot reach all its threads")
		}
		return 0, errno
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return 0, errno
	}
	return version, nil
}

// seccomp installs a filter for all threads.
func seccomp(filter []unix.SockFilter) error {
	runtime.LockOSThread() // no_new_privs is the thread's; the filter takes it to the others
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	tid, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	switch {
	case errno != 0:
		return errno
	case tid != 0:
		return fmt.Errorf("thread %d has a filter of its own", tid)
	}
	return nil
}
