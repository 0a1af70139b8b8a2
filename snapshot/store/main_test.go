package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// children are what the test binary does instead of testing when it is started
// by command.
var children = map[string]func(args []string) error{
	"sessions": runSessions,
	"takers":   runTakers,
}

const childPrefix = "spore-store-"

var background = context.Background()

func TestMain(m *testing.M) {
	if name, ok := strings.CutPrefix(os.Args[0], childPrefix); ok {
		if err := children[name](os.Args[1:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ok")
		return
	}
	os.Exit(m.Run())
}

// command returns a process that runs one of the children.
func command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: exe, Args: append([]string{childPrefix + name}, args...)}
}
