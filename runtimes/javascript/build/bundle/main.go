// Bundle writes the prelude of the JavaScript runtime, guest/main.js with all
// it imports, as one script.
//
//	go run ./runtimes/javascript/build/bundle guest node_modules out.js
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bundle guest-directory node_modules output-file")
		os.Exit(2)
	}
	if err := bundle(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func bundle(guest, modules, output string) error {
	guest, err := filepath.Abs(guest)
	if err != nil {
		return err
	}
	modules, err = filepath.Abs(modules)
	if err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(guest, "main.js")},
		NodePaths:   []string{modules},
		Alias: map[string]string{
			// The package does not export this file. It is the server renderer
			// without streams, so it needs nothing that the interpreter lacks.
			"react-dom-server-legacy": filepath.Join(modules, "react-dom/cjs/react-dom-server-legacy.browser.production.js"),
			// See guest/url/index.js.
			"tr46":                      filepath.Join(guest, "url/tr46.js"),
			"webidl-conversions":        filepath.Join(guest, "url/webidl.js"),
			"@exodus/bytes/whatwg.js":   filepath.Join(guest, "url/percent.js"),
			"@exodus/bytes/encoding.js": filepath.Join(guest, "url/none.js"),
		},
		Bundle:     true,
		Format:     api.FormatIIFE,
		Platform:   api.PlatformNeutral,
		MainFields: []string{"module", "main"},
		Conditions: []string{"production"},
		Define:     map[string]string{"process.env.NODE_ENV": `"production"`},
		Target:     api.ES2023,
		Charset:    api.CharsetUTF8,

		// Names stay: they are seen in stack traces and in error messages.
		MinifySyntax:     true,
		MinifyWhitespace: true,
		LegalComments:    api.LegalCommentsNone,
		LogLevel:         api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d errors", len(result.Errors))
	}
	return os.WriteFile(output, result.OutputFiles[0].Contents, 0o644)
}
