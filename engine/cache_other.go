//go:build !unix

package engine

import (
	"fmt"
	"os"
)

// checkPrivate checks that dir is a directory. Who else may write to it is for
// the access lists of the system to say: the default, under the user's profile,
// is private.
func checkPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("not a directory")
	}
	return nil
}
