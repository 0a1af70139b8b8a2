//go:build unix

package engine

import (
	"fmt"
	"os"
	"syscall"
)

// checkPrivate refuses a directory that another user owns or can write to.
func checkPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("not a directory")
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("belongs to user %d, not to user %d who runs this program", st.Uid, os.Geteuid())
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Errorf("other users can write to it (mode %#o)", perm)
	}
	return nil
}
