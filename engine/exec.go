package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime"
	"slices"
	"strings"
	"sync"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
)

// A Cell is what source that was run in an instance has shown.
type Cell struct {
	Text    string            // its value as the language prints it; empty if it has none
	Data    map[string][]byte // the value by MIME type: text, JSON or bytes
	Outputs []Output          // what it printed and displayed, in this order
	Usage   Usage
}

// An Output is one thing that a cell printed or displayed.
type Output struct {
	Stream string            // "stdout", "stderr" or "display"
	Text   string            // without the end of the line
	Data   map[string][]byte // as in Cell, if it was displayed
}

// execArg is the argument of spore.exec.
type execArg struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Exec runs more source in the live component, as a notebook runs a cell: its names stay, and see
// those of the component; it may await; its value is that of its last expression. name is the file
// name in tracebacks and should be another for each cell. Source that cannot be parsed is a [*SourceError].
//
// A cell can import the modules of Options.Grants ([hostfuncs.Set.Modules]), also those which the component does not
// import. What was imported once stays as it was then.
//
// Exec is a call like any other, and errors are those of [Instance.Call]. The cell is not nil then either: it has
// what was printed until the error. If a cell is suspended, [Instance.Continue] returns its value as JSON.
func (in *Instance) Exec(ctx context.Context, name, code string) (*Cell, error) {
	c := &collector{also: in.options().Console, left: in.limits().Output}
	k := &call{function: abi.ExecFunction, console: slog.New(c), kind: OpExec}
	display := hostfuncs.Raw("emit", "", c.display)
	display.Quick, display.MaxArg = true, c.left
	k.emit = &display
	if int64(len(code)) > in.limits().Source {
		return &Cell{}, &LimitError{Limit: limitSource, Max: in.limits().Source}
	}
	r, err := in.call(ctx, k, execArg{code, cmp.Or(name, "cell")})
	cell := &Cell{Outputs: c.outputs()}
	if err != nil {
		return cell, err
	}
	cell.Usage = r.Usage
	cell.Text, cell.Data, err = bundle(r.JSON(), r.Buffers)
	return cell, err
}

// lowerCell turns the source of a cell into what the interpreter takes.
func (c *Component) lowerCell(k *call) error {
	modules := k.modules // in a worker process
	if modules == nil {
		var err error
		if modules, err = c.cellModules(k); err != nil {
			return err
		}
	}
	lower := linking(c.language.runtime.LowerCell, c.language.runtime.LinkCell, modules)
	if lower == nil {
		return nil
	}
	var arg execArg
	if err := json.Unmarshal(k.arg, &arg); err != nil {
		return err
	}
	lowered, err := c.engine.lower(k.ctx, lower, Source{Name: arg.Name, Code: []byte(arg.Code), Tenant: k.tenant})
	if err != nil {
		return err
	}
	arg.Code = string(lowered.Code)
	if k.arg, err = json.Marshal(arg); err != nil {
		return err
	}
	if len(lowered.SourceMap) > 0 {
		k.session.cells = withCell(k.session.cells, cellState{arg.Name, lowered.SourceMap})
	}
	k.session.modules = slices.Concat(k.session.from.Modules, lowered.Modules)
	return nil
}

// bundle takes apart what a guest shows of a value: null, or its text and its forms.
func bundle(text json.RawMessage, buffers [][]byte) (string, map[string][]byte, error) {
	var v *struct {
		Text string                     `json:"text"`
		Data map[string]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return "", nil, abiError(fmt.Errorf("%w: the value of a cell: %v", abi.ErrABI, err))
	}
	if v == nil {
		return "", nil, nil
	}
	data := make(map[string][]byte, len(v.Data))
	for name, raw := range v.Data {
		if t, _, err := mime.ParseMediaType(name); err != nil || !strings.Contains(t, "/") {
			return "", nil, abiError(fmt.Errorf("%w: the value of a cell has a form %.80q", abi.ErrABI, name))
		}
		data[name] = formOf(name, raw, buffers)
	}
	return v.Text, data, nil
}

// formOf returns one form of a value: bytes, text, or JSON.
func formOf(mimeType string, raw json.RawMessage, buffers [][]byte) []byte {
	var ref struct {
		Bytes *int `json:"$bytes"`
	}
	if json.Unmarshal(raw, &ref) == nil && ref.Bytes != nil && *ref.Bytes >= 0 && *ref.Bytes < len(buffers) {
		return buffers[*ref.Bytes]
	}
	var s string
	if mimeType != "application/json" && !strings.HasSuffix(mimeType, "+json") && json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	return raw
}

// A collector notes what a cell prints and displays, and passes it on.
type collector struct {
	also *slog.Logger // may be nil

	mu   sync.Mutex
	left int64    // bytes that may still be displayed; guarded by mu
	list []Output // guarded by mu
}

func (c *collector) outputs() []Output {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list
}

// display is the host function by which a cell displays something.
func (c *collector) display(_ context.Context, arg hostfuncs.Value) (hostfuncs.Value, error) {
	text, data, err := bundle(arg.JSON, arg.Buffers)
	if err != nil {
		return hostfuncs.Value{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "a cell displays {text, data}")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left -= arg.Size(); c.left < 0 {
		return hostfuncs.Value{}, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the cell displays too much")
	}
	c.list = append(c.list, Output{Stream: "display", Text: text, Data: data})
	return hostfuncs.Value{JSON: []byte("null")}, nil
}

// Enabled implements [slog.Handler], as do the other methods.
func (c *collector) Enabled(context.Context, slog.Level) bool { return true }
func (c *collector) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *collector) WithGroup(string) slog.Handler            { return c }

func (c *collector) Handle(ctx context.Context, r slog.Record) error {
	out := Output{Stream: "stdout"}
	if r.Level >= slog.LevelWarn {
		out.Stream = "stderr"
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "text" {
			out.Text = a.Value.String()
		}
		return true
	})
	c.mu.Lock()
	c.list = append(c.list, out)
	c.mu.Unlock()
	if c.also != nil && c.also.Enabled(ctx, r.Level) {
		return c.also.Handler().Handle(ctx, r)
	}
	return nil
}
