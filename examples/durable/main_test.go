package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/snapshot/store"
)

// TestMain is the program if a test has started it as one.
func TestMain(m *testing.M) {
	lease = 3 * time.Second
	if os.Getenv("SPORE_DURABLE") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A process is the program in a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Scanner
	log   *strings.Builder
}

func start(t *testing.T, log *strings.Builder, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...), log: log}
	p.cmd.Env = append(os.Environ(), "SPORE_DURABLE=1")
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.cmd.Stderr = os.Stderr // warnings, such as of a cache that others use, too
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.cmd.Process.Kill() })
	p.lines = bufio.NewScanner(stdout)
	return p
}

var varying = regexp.MustCompile(`(receipt|Receipt) \w+|\d\d:\d\d:\d\d`)

// until reads what the program prints up to a line with that text.
func (p *process) until(text string) {
	p.t.Helper()
	for p.lines.Scan() {
		line := p.lines.Text()
		if strings.HasPrefix(line, "Somebody") {
			continue // the lease of the process that was killed may have ended or not
		}
		fmt.Fprintln(p.log, varying.ReplaceAllString(line, "$1 …"))
		if strings.Contains(line, text) {
			return
		}
	}
	p.t.Fatalf("the program did not print %q:\n%s", text, p.log)
}

// kill is kill -9.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	fmt.Fprintln(p.log, "-- killed")
}

// TestOrderSurvives kills the program while a person is asked, between a payment and its
// receipt, and during the delivery.
func TestOrderSurvives(t *testing.T) {
	for _, workflow := range []string{"order.py", "order.ts"} {
		t.Run(workflow, func(t *testing.T) {
			t.Parallel() // they mostly wait
			dir := t.TempDir()
			var log strings.Builder
			start := func(bank string) *process {
				return start(t, &log, "-workflow", workflow, "-dir", dir, "-delivery", "2s", "-bank", bank)
			}
			p := start("0s")
			p.until("[y/n]")
			p.kill()

			p = start("1m")
			p.until("[y/n]")
			_, err := io.WriteString(p.stdin, "y\n")
			require.NoError(t, err)
			p.until("paid")
			p.kill()

			p = start("0s")
			p.until("delivery")
			p.kill()

			time.Sleep(2 * time.Second)
			p = start("0s")
			p.until("Delivered")
			require.NoError(t, p.cmd.Wait())

			require.Equal(t, `Shop: 3 × chair cost 240 €.
3 × chair for 240 €? [y/n]
-- killed
3 × chair for 240 €? [y/n]
Bank: 240 € paid, receipt ….
-- killed
Bank: this was paid already, receipt ….
The delivery comes at  ….
-- killed
Delivered. Receipt ….
`, log.String())
			require.Equal(t, 1, payments(t, dir))
		})
	}
}

func payments(t *testing.T, dir string) (n int) {
	t.Helper()
	st, err := store.OpenDir(dir)
	require.NoError(t, err)
	defer st.Close()
	for _, err := range st.List(t.Context(), "payments/") {
		require.NoError(t, err)
		n++
	}
	return n
}

func TestOrderIsRefused(t *testing.T) {
	dir := t.TempDir()
	run := func(stdin string) string {
		var out strings.Builder
		require.NoError(t, run(t.Context(), config{dir: dir, workflow: "order.py"}, strings.NewReader(stdin), &out))
		return out.String()
	}
	const question = "3 × chair for 240 €? [y/n]\n"
	require.Equal(t, "Shop: 3 × chair cost 240 €.\n"+question+"Nobody is there to answer. The order waits.\n", run(""))
	require.Equal(t, question+"Not ordered: it was refused.\n", run("n\n"))
	require.Zero(t, payments(t, dir))
	require.Equal(t, "Shop: 3 × chair cost 240 €.\n"+question+"Nobody is there to answer. The order waits.\n", run(""), "a new order")
}
