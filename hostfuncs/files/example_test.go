package files_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing/fstest"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/files"
)

// A guest works on some files, and the embedder sees what it has done before anything of it
// is done to the real ones.
func Example() {
	below := fstest.MapFS{ // or os.OpenRoot(dir) and its FS
		"report.md":  {Data: []byte("# Draft")},
		"data/a.csv": {Data: []byte("1,2")},
	}
	workspace := files.New(below, files.Quota{Bytes: 1 << 20})
	grants, err := hostfuncs.NewSet(workspace.Functions()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	// In Python: await spore.call("files.write", {"path": "report.md", "text": "# Final"})
	for _, c := range [][2]string{
		{"files.write", `{"path": "report.md", "text": "# Final"}`},
		{"files.write", `{"path": "charts/a.svg", "text": "<svg/>"}`},
		{"files.remove", `{"path": "data/a.csv"}`},
		{"files.read", `{"path": "../../etc/passwd"}`},
	} {
		f, _ := grants.Lookup(c[0])
		if _, err := f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(c[1])}); err != nil {
			fmt.Println(err)
		}
	}

	// The session goes on somewhere else.
	b, err := workspace.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	elsewhere := files.New(below, files.Quota{Bytes: 1 << 20})
	if err := elsewhere.UnmarshalBinary(b); err != nil {
		fmt.Println(err)
		return
	}
	changes, err := elsewhere.Diff()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Printf("%s %s %q\n", c.Kind, c.Path, c.Data)
	}
	// Output:
	// invalid_argument: "../../etc/passwd" is not a path inside the workspace
	// added charts ""
	// added charts/a.svg "<svg/>"
	// removed data/a.csv ""
	// changed report.md "# Final"
}
