// Bundle writes the prelude of the JavaScript runtime, guest/main.js with all
// it imports, as one script. The directory holds guest and node_modules.
//
//	go run ./runtimes/javascript/build/bundle directory out.js
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bundle directory output-file")
		os.Exit(2)
	}
	if err := bundle(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func bundle(dir, output string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	in := func(path string) string { return filepath.Join(dir, path) }
	result := api.Build(api.BuildOptions{
		// esbuild writes the paths of modules into its output: these are
		// relative, and so the same in every directory.
		AbsWorkingDir: dir,
		EntryPoints:   []string{in("guest/main.js")},
		Alias: map[string]string{
			// The package does not export this file. It is the server renderer
			// without streams, so it needs nothing that the interpreter lacks.
			"react-dom-server-legacy": in("node_modules/react-dom/cjs/react-dom-server-legacy.browser.production.js"),
			"@exodus/bytes/utf8.js":   in("guest/utf8.js"),
			"tr46":                    in("guest/tr46.js"),
			// Encodings without the 150 KB of tables for Chinese, Japanese and Korean.
			"@exodus/bytes/encoding.js": in("node_modules/@exodus/bytes/encoding-lite.js"),
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
