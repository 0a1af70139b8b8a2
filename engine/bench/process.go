package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// firstOutput starts cmd and returns the time until all of want had come out
// of it. How long the process takes to end does not count.
func firstOutput(cmd *exec.Cmd, input []byte, want string) (time.Duration, error) {
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	got := make([]byte, len(want))
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(stdout, got)
	took := time.Since(start)
	rest, restErr := io.ReadAll(stdout)
	if werr := cmd.Wait(); werr != nil {
		return 0, fmt.Errorf("%w: %s", werr, stderr.Bytes())
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if restErr != nil {
		return 0, restErr
	}
	return took, compare(string(got[:n])+string(rest), want)
}

// processes is a contender's run that starts a process for each sample.
func processes(input []byte, want string, command func(ctx context.Context) *exec.Cmd) func(context.Context, int) (samples, error) {
	return func(ctx context.Context, n int) (samples, error) {
		s := make(samples, 0, n)
		for range n {
			took, err := firstOutput(command(ctx), input, want)
			if err != nil {
				return nil, err
			}
			s = append(s, took)
		}
		return s, nil
	}
}

// A server is a long-lived process that answers each line with a line.
type server struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

func startServer(cmd *exec.Cmd) (*server, error) {
	s := &server{cmd: cmd}
	cmd.Stderr = &s.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.in, s.out = in, bufio.NewReader(out)
	return s, cmd.Start()
}

func (s *server) ask(line string) (string, error) {
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		return "", err
	}
	answer, err := s.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, s.stderr.Bytes())
	}
	return strings.TrimSuffix(answer, "\n"), nil
}

// hot lets the process do the work n times and returns the times it took,
// measured inside the process.
func (s *server) hot(_ context.Context, n int) (samples, error) {
	answer, err := s.ask("hot " + strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	var took samples
	return took, json.Unmarshal([]byte(answer), &took)
}

func (s *server) close() error {
	s.in.Close() // which ends the process
	return s.cmd.Wait()
}

// compact returns JSON on one line.
func compact(props []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, props); err != nil {
		panic(err) // the props are files of this module
	}
	return b.String()
}

// writeScripts copies a folder of fsys to the existing directory dir.
func writeScripts(fsys fs.FS, folder, dir string) error {
	sub, err := fs.Sub(fsys, folder)
	if err != nil {
		return err
	}
	return os.CopyFS(dir, sub)
}

// realPath asks the interpreter that is found under name where its binary is,
// which is not in PATH if a version manager has put a shim there, and for its
// version. Both come as lines of what the interpreter prints for args.
func realPath(ctx context.Context, name string, args ...string) (path, version string, err error) {
	found, err := exec.LookPath(name)
	if err != nil {
		return "", "", err
	}
	out, err := exec.CommandContext(ctx, found, args...).Output()
	if err != nil {
		return "", "", err
	}
	lines := strings.Fields(string(out))
	if len(lines) != 2 || !filepath.IsAbs(lines[0]) {
		return "", "", fmt.Errorf("%s has printed %q", name, out)
	}
	return lines[0], lines[1], nil
}
