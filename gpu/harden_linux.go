package gpu

import (
	"os"

	"golang.org/x/sys/unix"
)

// harden takes from a worker what no backend needs. That any of it works is no condition: it is a second line of
// defence, and a driver may be in the way.
func harden() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0) // the kernel should rather end a worker than the host
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})            // a dump would hold tenants' data
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)            // on this thread and those it starts
}
