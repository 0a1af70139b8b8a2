package main

import (
	"context"
	"fmt"

	"github.com/dop251/goja"
	esbuild "github.com/evanw/esbuild/pkg/api"
	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"modernc.org/quickjs"

	"github.com/sporeengine/spore/engine/bench/work"
)

// reactEntry makes one script of React, its server and the component, for
// interpreters that have no modules. It is the build of react-dom that asks
// for the fewest globals, which the package does not export.
const reactEntry = `
import { createElement } from "react";
import { renderToStaticMarkup } from "./node_modules/react-dom/cjs/react-dom-server-legacy.browser.production.js";
import Component from "./card.tsx";

globalThis.render = (props) => renderToStaticMarkup(createElement(Component, JSON.parse(props)));
`

// scriptPeers returns interpreters in Go on the work of the React component.
// All of them get the bundle in the form that they have parsed before.
func (b *bench) scriptPeers(dir string) ([]*contender, error) {
	script, err := bundle(dir, esbuild.BuildOptions{
		Stdin:      &esbuild.StdinOptions{Contents: reactEntry, ResolveDir: dir},
		Platform:   esbuild.PlatformNeutral,
		MainFields: []string{"main"},
		Format:     esbuild.FormatIIFE,
		Target:     esbuild.ES2020,
	})
	if err != nil {
		return nil, err
	}
	props := compact(work.CardProps)
	gojaPeers, err := b.gojaPeers(string(script), props)
	if err != nil {
		return nil, fmt.Errorf("goja: %w", err)
	}
	quickjsPeers, err := b.quickjsPeers(string(script), props)
	if err != nil {
		return nil, fmt.Errorf("modernc.org/quickjs: %w", err)
	}
	return append(gojaPeers, quickjsPeers...), nil
}

func (b *bench) gojaPeers(script, props string) ([]*contender, error) {
	program, err := goja.Compile("bundle.js", script, false)
	if err != nil {
		return nil, err
	}
	load := func() (render func() (string, error), err error) {
		vm := goja.New()
		if _, err := vm.RunProgram(program); err != nil {
			return nil, err
		}
		f, ok := goja.AssertFunction(vm.Get("render"))
		if !ok {
			return nil, fmt.Errorf("render is not a function")
		}
		return func() (string, error) {
			v, err := f(goja.Undefined(), vm.ToValue(props))
			if err != nil {
				return "", err
			}
			return v.String(), nil
		}, nil
	}
	warm, err := load()
	if err != nil {
		return nil, err
	}
	return b.vmPeers("goja", work.CardHTML, func() (string, error) {
		render, err := load()
		if err != nil {
			return "", err
		}
		return render()
	}, warm), nil
}

func (b *bench) quickjsPeers(script, props string) ([]*contender, error) {
	compiler, err := quickjs.NewVM()
	if err != nil {
		return nil, err
	}
	defer compiler.Close()
	bytecode, err := compiler.Compile(script, quickjs.EvalGlobal)
	if err != nil {
		return nil, err
	}
	load := func() (*quickjs.VM, error) {
		vm, err := quickjs.NewVM()
		if err != nil {
			return nil, err
		}
		if _, err := vm.EvalBytecode(bytecode); err != nil {
			vm.Close()
			return nil, err
		}
		return vm, nil
	}
	render := func(vm *quickjs.VM) (string, error) {
		v, err := vm.Call("render", props)
		html, ok := v.(string)
		if err == nil && !ok {
			err = fmt.Errorf("render has returned a %T", v)
		}
		return html, err
	}
	vm, err := load()
	if err != nil {
		return nil, err
	}
	peers := b.vmPeers("modernc.org/quickjs", work.CardHTML,
		func() (string, error) {
			vm, err := load()
			if err != nil {
				return "", err
			}
			html, err := render(vm)
			if cerr := vm.Close(); err == nil {
				err = cerr
			}
			return html, err
		},
		func() (string, error) { return render(vm) })
	peers[1].close = vm.Close
	return peers, nil
}

// starlarkPeers returns Starlark on a translation of the Python component.
func (b *bench) starlarkPeers() ([]*contender, error) {
	options := &syntax.FileOptions{}
	_, program, err := starlark.SourceProgramOptions(options, "table.star", work.TableStar, func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	props := starlark.String(compact(work.TableProps))
	decode := starjson.Module.Members["decode"]
	load := func() (render func() (string, error), err error) {
		thread := &starlark.Thread{Name: "render"}
		globals, err := program.Init(thread, nil)
		if err != nil {
			return nil, err
		}
		return func() (string, error) {
			arg, err := starlark.Call(thread, decode, starlark.Tuple{props}, nil)
			if err != nil {
				return "", err
			}
			v, err := starlark.Call(thread, globals["render"], starlark.Tuple{arg}, nil)
			if err != nil {
				return "", err
			}
			html, _ := starlark.AsString(v)
			return html, nil
		}, nil
	}
	warm, err := load()
	if err != nil {
		return nil, fmt.Errorf("starlark: %w", err)
	}
	return b.vmPeers("Starlark, a translation", work.TableHTML, func() (string, error) {
		render, err := load()
		if err != nil {
			return "", err
		}
		return render()
	}, warm), nil
}

// vmPeers returns an interpreter as two contenders: with a new machine each
// time, which is what isolation needs, and with one that is kept.
func (b *bench) vmPeers(name, html string, cold, warm func() (string, error)) []*contender {
	run := func(render func() (string, error)) func(context.Context, int) (samples, error) {
		return each(html, func(context.Context) (string, error) { return render() })
	}
	return []*contender{
		{name: name + ": new VM, load, render", state: fresh, batch: b.count(10, 1), run: run(cold)},
		{name: name + ": one VM", state: kept, batch: b.count(100, 2), run: run(warm)},
	}
}
