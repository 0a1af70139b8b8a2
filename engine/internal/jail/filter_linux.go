//go:build linux && (amd64 || arm64)

package jail

import (
	"os"

	"golang.org/x/sys/unix"
)

// A rule lets a system call pass: every one with the number if arg is negative,
// else if the low half of the argument, masked, has the value.
type rule struct {
	nr          uint32
	arg         int
	mask, value uint32
}

const every = -1

// pagemapScan is the ioctl by which package snapshot finds changed pages.
const pagemapScan = 0xc0606610

// rules are what the Go runtime, wazero and package snapshot do once a runtime
// is ready. Everything else fails with EPERM, also what may come to be used by a later
// version of Go, which its own tests then show.
func rules() []rule {
	const newThread = unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND
	pid := uint32(os.Getpid())
	return []rule{
		// What every call does comes first, as the list is searched in order.
		{unix.SYS_IOCTL, 1, ^uint32(0), pagemapScan},
		{unix.SYS_READ, every, 0, 0},
		{unix.SYS_WRITE, every, 0, 0},
		{unix.SYS_FUTEX, every, 0, 0},
		{unix.SYS_GETRUSAGE, every, 0, 0},
		{unix.SYS_EPOLL_PWAIT, every, 0, 0},
		{unix.SYS_NANOSLEEP, every, 0, 0},

		// Memory, none of it executable.
		{unix.SYS_MMAP, 2, unix.PROT_EXEC, 0},
		{unix.SYS_MPROTECT, 2, unix.PROT_EXEC, 0},
		{unix.SYS_MUNMAP, every, 0, 0},
		{unix.SYS_MADVISE, every, 0, 0},
		{unix.SYS_PRCTL, 0, ^uint32(0), unix.PR_SET_VMA},
		{unix.SYS_MEMFD_CREATE, every, 0, 0},
		{unix.SYS_FTRUNCATE, every, 0, 0},
		{unix.SYS_FCNTL, 1, ^uint32(0), unix.F_ADD_SEALS},
		{unix.SYS_FCNTL, 1, ^uint32(0), unix.F_GETFL},
		{unix.SYS_PREAD64, every, 0, 0},
		{unix.SYS_PWRITE64, every, 0, 0},
		{unix.SYS_CLOSE, every, 0, 0},

		// Threads of this process, and signals to it.
		{unix.SYS_CLONE, 0, newThread, newThread},
		{unix.SYS_SET_ROBUST_LIST, every, 0, 0},
		{unix.SYS_RSEQ, every, 0, 0},
		{unix.SYS_TGKILL, 0, ^uint32(0), pid},
		{unix.SYS_GETPID, every, 0, 0},
		{unix.SYS_GETTID, every, 0, 0},
		{unix.SYS_SCHED_YIELD, every, 0, 0},
		{unix.SYS_SCHED_GETAFFINITY, every, 0, 0},
		{unix.SYS_RT_SIGACTION, every, 0, 0},
		{unix.SYS_RT_SIGPROCMASK, every, 0, 0},
		{unix.SYS_RT_SIGRETURN, every, 0, 0},
		{unix.SYS_SIGALTSTACK, every, 0, 0},
		{unix.SYS_RESTART_SYSCALL, every, 0, 0},
		{unix.SYS_EXIT, every, 0, 0},
		{unix.SYS_EXIT_GROUP, every, 0, 0},

		// The network poller of Go, which pipes use, clocks, randomness.
		{unix.SYS_EPOLL_CREATE1, every, 0, 0},
		{unix.SYS_EPOLL_CTL, every, 0, 0},
		{unix.SYS_EVENTFD2, every, 0, 0},
		{unix.SYS_CLOCK_GETTIME, every, 0, 0},
		{unix.SYS_CLOCK_NANOSLEEP, every, 0, 0},
		{unix.SYS_GETTIMEOFDAY, every, 0, 0},
		{unix.SYS_GETRANDOM, every, 0, 0},
	}
}

// Offsets in struct seccomp_data of linux/seccomp.h, little endian.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

// filter is the program for the kernel: classic BPF over struct seccomp_data.
func filter() []unix.SockFilter {
	ret := func(v uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: v} }
	load := func(offset int) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: uint32(offset)}
	}
	// unless skips n instructions if the loaded value is not v.
	unless := func(v uint32, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: v, Jf: n}
	}
	p := []unix.SockFilter{
		load(dataArch), unless(auditArch, 1), {Code: unix.BPF_JMP | unix.BPF_JA, K: 1}, ret(unix.SECCOMP_RET_KILL_PROCESS),
		load(dataNr),
	}
	allow := ret(unix.SECCOMP_RET_ALLOW)
	for _, r := range rules() {
		if r.arg == every {
			p = append(p, unless(r.nr, 1), allow)
			continue
		}
		p = append(p,
			unless(r.nr, 5),
			load(dataArgs+8*r.arg),
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: r.mask},
			unless(r.value, 1),
			allow,
			load(dataNr))
	}
	// The C library asks for threads by clone3, whose flags a filter cannot see,
	// and falls back to clone if the kernel does not know it.
	p = append(p, unless(unix.SYS_CLONE3, 1), ret(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)))
	return append(p, ret(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
}
