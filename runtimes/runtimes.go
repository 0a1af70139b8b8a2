// Package runtimes describes language runtimes compiled to WebAssembly.
//
// Each runtime is its own package, so a program links only the languages it
// uses. A runtime is data: every one speaks the guest ABI of ABI.md, and the
// engine has no code for any particular language.
package runtimes

// ABIVersion is the version of the guest ABI that ABI.md describes.
const ABIVersion = 1

// A Runtime is a language interpreter compiled to WebAssembly. Its fields are
// read-only once it was given to an engine.
type Runtime struct {
	Language   string   // what Source.Language selects, for example "javascript"
	Extensions []string // file name extensions of the language, with the dot
	Name       string   // of the interpreter, for example "quickjs-ng"
	Version    string   // of the interpreter, not of this Go module
	ABI        int      // version of the guest ABI, see [ABIVersion]

	// Module is the WebAssembly binary, zstd-compressed, and SHA256 the digest
	// of the binary itself. An engine refuses a Module that does not match.
	Module []byte
	SHA256 [32]byte

	// Lower turns source into what the interpreter accepts, for example TSX
	// into plain JavaScript. The extension of name selects the dialect. It
	// runs on the host, is pure and safe for concurrent use, and reports every
	// problem it finds; with any diagnostic the Lowered result is not used.
	// Nil means that the interpreter takes source as it is.
	Lower func(name string, code []byte) (Lowered, []Diagnostic)

	// LowerCell does the same for a cell: source that runs in a live interpreter, as
	// the function "spore.exec" of the guest ABI has it. It knows nothing of the
	// component or of cells before. Nil means that the interpreter takes cells as
	// they are.
	LowerCell func(name string, code []byte) (Lowered, []Diagnostic)

	// Link is Lower for a component to which modules are offered, and LinkCell is LowerCell
	// for a cell. Code then brings along those of the modules that it may import, and those that they may import, and
	// Lowered.Modules names them: they are loaded when they are first imported, and stay in the interpreter for cells that
	// come later. Nothing but time is lost if a module is brought along that is not used, or for the second time. Nil means that the language has no such modules.
	Link, LinkCell func(name string, code []byte, modules []Module) (Lowered, []Diagnostic)

	// Taken are names that no Module may have: those of the modules that components can import anyway, and what
	// cannot be the name of one.
	Taken []string
}

// A Module is source that components can import by its name. In positions, its file is [Module.File].
type Module struct {
	Name string
	Code []byte // empty: the interpreter has it, an earlier component or cell has brought it along

	// Precompiled may be what the interpreter has made of Code. It is of no use to another interpreter.
	Precompiled []byte
}

// File returns the name of the module's file in positions.
func (m *Module) File() string { return "<" + m.Name + ">" }

// Lowered is source in the form that the interpreter loads.
type Lowered struct {
	Code []byte
	// SourceMap maps positions in Code back to the source (Source Map
	// revision 3). Sources of it that are the files of modules stand for these, others for the source
	// that was lowered. Nil means that positions are already right.
	SourceMap []byte
	// Modules are the names of modules that Code brings along; see Runtime.Link.
	Modules []string
}

// A Diagnostic is a problem in component source, meant to be shown to a person
// or handed back to the model that wrote the source.
type Diagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line"`   // 1-based, 0 if unknown
	Column   int    `json:"column"` // 1-based, in bytes of UTF-8, 0 if unknown
	Text     string `json:"text"`
	LineText string `json:"lineText"` // the source line, without its line end
}
