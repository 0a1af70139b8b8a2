package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sporeengine/spore/engine"
)

// A hostileProgram is one file of testdata/hostile. README.md there describes
// its header.
type hostileProgram struct {
	name    string // js/loop.js
	code    []byte
	class   string
	expect  string        // see outcome
	within  time.Duration // the overrun that its header allows, if it expects a limit of time
	limits  engine.Limits
	fixed   bool // run with a fixed clock
	compile bool // the attack is on Compile
}

// hostilePrograms reads the corpus, in the order of the names.
func hostilePrograms(t *testing.T) []*hostileProgram {
	t.Helper()
	paths, err := filepath.Glob("testdata/hostile/*/*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("corpus: %d programs, %v", len(paths), err)
	}
	slices.Sort(paths)
	var list []*hostileProgram
	for _, path := range paths {
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p := &hostileProgram{name: strings.TrimPrefix(filepath.ToSlash(path), "testdata/hostile/"), code: code}
		if err := p.parseHeader(); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, p)
	}
	return list
}

var headerField = regexp.MustCompile(`^([a-z]+):(?: (.*))?$`)

// parseHeader reads the comment at the beginning of the file: some lines of
// description, then the fields.
func (p *hostileProgram) parseHeader() error {
	// Long enough for what ends otherwise, so that no load of the machine makes
	// a timeout of it.
	p.limits = engine.Limits{CallTime: time.Minute, Memory: 40 << 20, Output: 1 << 20, Console: 16 << 10}
	described := false
	for line := range strings.Lines(string(p.code)) {
		text, ok := strings.CutPrefix(line, "// ")
		if !ok {
			if text, ok = strings.CutPrefix(line, "# "); !ok {
				break
			}
		}
		text = strings.TrimSpace(text)
		m := headerField.FindStringSubmatch(text)
		if m == nil {
			described = true
			continue
		}
		switch m[1] {
		case "class":
			p.class = m[2]
		case "expect":
			var within string
			var timed bool
			if p.expect, within, timed = strings.Cut(m[2], " within "); timed {
				d, err := time.ParseDuration(within)
				if err != nil {
					return err
				}
				p.within = d
			}
		case "limits":
			if err := parseLimits(&p.limits, m[2]); err != nil {
				return err
			}
		case "fixed":
			p.fixed = true
		case "compile":
			p.compile = true
		default:
			return fmt.Errorf("unknown field %q", m[1])
		}
	}
	if !described || p.class == "" || p.expect == "" {
		return errors.New("the header needs a description, class and expect")
	}
	if timed := p.expect == "limit CallTime" || p.expect == "limit CompileTime"; timed != (p.within > 0) {
		return fmt.Errorf("%q: a limit of time, and nothing else, needs an overrun that it is within", p.expect)
	}
	return nil
}

var byteUnits = map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20}

func parseLimits(l *engine.Limits, s string) error {
	for field := range strings.FieldsSeq(s) {
		name, value, _ := strings.Cut(field, "=")
		if name == "CallTime" {
			d, err := time.ParseDuration(value)
			if err != nil {
				return err
			}
			l.CallTime = d
			continue
		}
		to := map[string]*int64{"Memory": &l.Memory, "Output": &l.Output, "Console": &l.Console}[name]
		if to == nil || len(value) < 4 {
			return fmt.Errorf("unknown limit %q", field)
		}
		n, err := strconv.ParseInt(value[:len(value)-3], 10, 64)
		if err != nil {
			return err
		}
		*to = n * byteUnits[value[len(value)-3:]]
	}
	return nil
}

// An outcome says how a call ended in the words of a header, and in more detail.
type outcome struct{ short, long string }

// is compares o with what a header says. "any" stands for every typed outcome:
// how a guest ends that has overwritten its interpreter is chance.
func (o outcome) is(expect string) bool {
	return expect == o.short || expect == o.long || expect == "any" && o.short != "untyped"
}

// outcomeOf classifies what Compile or Render returned. An error that is none
// of the documented types gives "untyped".
func outcomeOf(r *engine.Result, err error) outcome {
	var le *engine.LimitError
	var ge *engine.GuestError
	var se *engine.SourceError
	switch {
	case err == nil:
		word := "text "
		if b := r.JSON(); len(b) > 0 && b[0] != '"' {
			word = "json "
		}
		return outcome{clip(word + r.Text()), word + r.Text()}
	case errors.As(err, &le):
		return outcome{"limit " + le.Limit, err.Error()}
	case errors.As(err, &ge):
		short := strings.TrimSpace(ge.Kind + " " + ge.Name)
		return outcome{clip(short), short + ": " + ge.Message}
	case errors.As(err, &se):
		return outcome{"source", "source " + se.Diagnostics[0].Text}
	}
	return outcome{"untyped", "untyped " + err.Error()}
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// checkError looks for what no error may have, whatever the guest did: texts
// out of bounds, or bytes that are not text.
func checkError(err error) error {
	var ge *engine.GuestError
	if !errors.As(err, &ge) {
		return nil
	}
	size := len(ge.Name) + len(ge.Message) + len(ge.Trace)
	texts := []string{ge.Kind, ge.Name, ge.Message, ge.Trace}
	for _, f := range ge.Stack {
		size += len(f.Func) + len(f.File)
		texts = append(texts, f.Func, f.File)
	}
	if size > 128<<10 {
		return fmt.Errorf("the texts of the error have %d bytes", size)
	}
	if i := slices.IndexFunc(texts, func(s string) bool { return !utf8.ValidString(s) }); i >= 0 {
		return fmt.Errorf("the error holds bytes that are not UTF-8: %q", clip(texts[i]))
	}
	return nil
}
