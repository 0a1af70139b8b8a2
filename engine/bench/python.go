package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/sporeengine/spore/engine/bench/work"
)

// pythonPeers returns CPython on the work of the Python component.
func (b *bench) pythonPeers(ctx context.Context) ([]*contender, error) {
	python, version, err := realPath(ctx, "python3", "-c",
		"import os, platform, sys; print(os.path.realpath(sys.executable)); print(platform.python_version())")
	if err != nil {
		b.report.skip("python3", err.Error())
		return nil, nil
	}
	b.report.version("CPython (peer)", version)
	dir := filepath.Join(b.dir, "python")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := writeScripts(work.Scripts, "python", dir); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "table.py"), work.TablePy, 0o600); err != nil {
		return nil, err
	}
	process := func(name string, args ...string) *contender {
		return &contender{
			name: name, state: fresh, batch: b.count(4, 1),
			run: processes(work.TableProps, work.TableHTML, func(ctx context.Context) *exec.Cmd {
				return exec.CommandContext(ctx, python, append(args, filepath.Join(dir, "render.py"))...)
			}),
		}
	}
	s, err := startServer(exec.CommandContext(ctx, python, filepath.Join(dir, "serve.py")))
	if err != nil {
		return nil, fmt.Errorf("python3: %w", err)
	}
	warm, err := b.serverPeers(ctx, "python3", s, work.TableProps, work.TableHTML)
	if err != nil {
		return nil, err
	}
	return append([]*contender{
		process(freshPython),
		process("`python3 -S -E`: a process each, without site packages and environment", "-S", "-E"),
	}, warm...), nil
}

// serverPeers returns a long-lived process as two contenders, with its compiler
// warmed up. Both keep their state, so they are not what a sandbox does.
func (b *bench) serverPeers(ctx context.Context, name string, s *server, props []byte, html string) ([]*contender, error) {
	line := compact(props)
	_, err := s.ask(line)
	if err == nil {
		_, err = s.hot(ctx, b.count(20_000, 10))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), s.close())
	}
	return []*contender{
		{
			name: fmt.Sprintf("`%s`: one process, asked over a pipe", name), state: kept, batch: b.count(200, 2),
			run:   each(html, func(context.Context) (string, error) { return s.ask(line) }),
			close: s.close,
		},
		{
			name: fmt.Sprintf("`%s`: one process, timed inside", name), state: kept, batch: b.count(200, 2),
			run: s.hot,
		},
	}, nil
}
