// Lower prints components in the form that the interpreter loads, as one JSON
// object from file names to code. It serves reference.mjs.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/sporeengine/spore/runtimes/javascript"
)

func main() {
	all := make(map[string]string)
	for _, name := range os.Args[1:] {
		code, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "lower:", err)
			os.Exit(1)
		}
		lowered, problems := javascript.Lower(name, code)
		for _, d := range problems {
			fmt.Fprintf(os.Stderr, "%s:%d:%d: %s\n", d.File, d.Line, d.Column, d.Text)
		}
		if len(problems) > 0 {
			os.Exit(1)
		}
		all[name] = string(lowered.Code)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		fmt.Fprintln(os.Stderr, "lower:", err)
		os.Exit(1)
	}
}
