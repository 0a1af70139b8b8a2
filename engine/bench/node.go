package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	esbuild "github.com/evanw/esbuild/pkg/api"

	"github.com/sporeengine/spore/engine/bench/work"
)

// installReact puts react and react-dom, as the lock file pins them, the
// scripts for node and the component into a new folder. What cannot be had is
// reported as skipped, and the folder is empty.
func (b *bench) installReact(ctx context.Context) (dir string, err error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		b.report.skip("every peer that renders the React component", err.Error())
		return "", nil
	}
	dir = filepath.Join(b.dir, "node")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if err := writeScripts(work.Scripts, "node", dir); err != nil {
		return "", err
	}
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		// What npm says is about this machine, not for the page.
		fmt.Fprintf(os.Stderr, "npm ci: %s\n", out)
		b.report.skip("every peer that renders the React component", "npm ci: "+err.Error())
		return "", nil
	}
	card := esbuild.Transform(string(work.CardTSX), esbuild.TransformOptions{
		Loader: esbuild.LoaderTSX,
		JSX:    esbuild.JSXAutomatic,
		Format: esbuild.FormatCommonJS,
	})
	if len(card.Errors) > 0 {
		return "", problems(card.Errors)
	}
	if err := os.WriteFile(filepath.Join(dir, "card.tsx"), work.CardTSX, 0o600); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "card.cjs"), card.Code, 0o600)
}

// bundle joins an entry file of dir and what it imports into one script.
func bundle(dir string, options esbuild.BuildOptions) ([]byte, error) {
	options.AbsWorkingDir = dir
	options.Bundle = true
	options.JSX = esbuild.JSXAutomatic
	options.Define = map[string]string{"process.env.NODE_ENV": `"production"`}
	options.MinifyWhitespace, options.MinifyIdentifiers, options.MinifySyntax = true, true, true
	r := esbuild.Build(options)
	if len(r.Errors) > 0 {
		return nil, problems(r.Errors)
	}
	return r.OutputFiles[0].Contents, nil
}

func problems(messages []esbuild.Message) error {
	var errs []error
	for _, m := range messages {
		errs = append(errs, errors.New(m.Text))
	}
	return fmt.Errorf("esbuild: %w", errors.Join(errs...))
}

// nodePeers returns node on the work of the React component, with the packages
// installed in dir.
func (b *bench) nodePeers(ctx context.Context, dir string) ([]*contender, error) {
	node, version, err := realPath(ctx, "node", "-p", `process.execPath + "\n" + process.version`)
	if err != nil {
		b.report.skip("node", err.Error())
		return nil, nil
	}
	b.report.version("Node.js (peer)", version)
	single, err := bundle(dir, esbuild.BuildOptions{
		EntryPoints: []string{"render.cjs"},
		Platform:    esbuild.PlatformNode,
		Format:      esbuild.FormatCommonJS,
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "single.cjs"), single, 0o600); err != nil {
		return nil, err
	}
	command := func(ctx context.Context, script string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, node, filepath.Join(dir, script))
		cmd.Env = append(os.Environ(), "NODE_ENV=production")
		return cmd
	}
	process := func(name, script string) *contender {
		return &contender{
			name: name, state: fresh, batch: b.count(4, 1),
			run: processes(work.CardProps, work.CardHTML, func(ctx context.Context) *exec.Cmd {
				return command(ctx, script)
			}),
		}
	}
	s, err := startServer(command(ctx, "serve.cjs"))
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	warm, err := b.serverPeers(ctx, "node", s, work.CardProps, work.CardHTML)
	if err != nil {
		return nil, err
	}
	return append([]*contender{
		process(freshNode, "render.cjs"),
		process("`node`: a process each, everything bundled into one minified file", "single.cjs"),
	}, warm...), nil
}
