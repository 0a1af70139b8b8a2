// Package log lets guests write to the log of the host, with a level and
// attributes. (What a guest prints goes to Options.Console of the engine.)
//
// What a guest writes is hostile: it may want to look like a record of the host's, or like several, or to confuse
// the terminal of whoever reads it. So it decides neither the message of a record nor the names of its attributes: its text and
// its attributes are values in one group. In them everything that does not print, line ends among them, is written as
// Go escapes it, whatever the handler does.
package log

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sporeengine/spore/hostfuncs"
)

// Bounds of one record.
const (
	MaxMessage   = 8 << 10 // bytes of the message; what is longer is cut
	MaxAttrs     = 32      // attributes; more are an error
	MaxAttrKey   = 64      // bytes of the name of one; a longer one is an error
	MaxAttrValue = 1 << 10 // bytes of the value of one as text; what is longer is cut
)

// DefaultMessage is used if Options.Message is empty.
const DefaultMessage = "guest"

// Options of [Functions]. The zero value writes to [slog.Default].
type Options struct {
	// Logger gets the records. Nil means what [slog.Default] is when Functions is called. Its
	// handler decides which levels are written.
	Logger *slog.Logger

	// Message is the message of all records.
	Message string
}

type entry struct {
	Level   string         `json:"level,omitempty" jsonschema:"debug, info, warn or error; info if absent"`
	Message string         `json:"message"`
	Attrs   map[string]any `json:"attrs,omitempty" jsonschema:"what belongs to the message, by name"`
}

var levels = map[string]slog.Level{"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// Functions returns log.write.
//
// Its records have the attributes tenant, component and call, from [hostfuncs.CallerOf], and the group guest,
// in which are message and the guest's attributes in a group attrs. The context that the handler
// gets is that of the call.
func Functions(opts Options) []hostfuncs.Func {
	logger, message := opts.Logger, opts.Message
	if logger == nil {
		logger = slog.Default()
	}
	if message == "" {
		message = DefaultMessage
	}
	f := hostfuncs.New("log.write", "Writes to the log of the host, for the people who run it.",
		func(ctx context.Context, e entry) (struct{}, error) {
			level, ok := levels[e.Level]
			if !ok {
				return struct{}{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "log.write: level %.20q", e.Level)
			}
			if err := check(e.Attrs); err != nil || !logger.Enabled(ctx, level) {
				return struct{}{}, err
			}
			c := hostfuncs.CallerOf(ctx)
			guest := []slog.Attr{slog.String("message", printable(e.Message, MaxMessage))}
			if len(e.Attrs) > 0 {
				guest = append(guest, slog.GroupAttrs("attrs", attributes(e.Attrs)...))
			}
			logger.LogAttrs(ctx, level, message, slog.String("tenant", c.Tenant), slog.String("component", c.Component),
				slog.Uint64("call", uint64(c.Number)), slog.GroupAttrs("guest", guest...))
			return struct{}{}, nil
		})
	f.MaxArg = 64 << 10
	return []hostfuncs.Func{f}
}

func check(attrs map[string]any) error {
	if len(attrs) > MaxAttrs {
		return hostfuncs.Errorf(hostfuncs.CodeTooLarge, "log.write: %d attributes, at most %d", len(attrs), MaxAttrs)
	}
	for k := range attrs {
		if k == "" || len(k) > MaxAttrKey {
			return hostfuncs.Errorf(hostfuncs.CodeInvalid, "log.write: the name of an attribute has 1 to %d bytes, not %d", MaxAttrKey, len(k))
		}
	}
	return nil
}

// attributes returns what a guest gave in the order of the names. Arrays and objects are JSON
// text, so that a guest makes no groups.
func attributes(attrs map[string]any) []slog.Attr {
	var out []slog.Attr
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		v := attrs[k]
		switch x := v.(type) {
		case nil, bool, float64:
		case string:
			v = printable(x, MaxAttrValue)
		default:
			text, _ := json.Marshal(x) // what came from JSON marshals
			v = printable(string(text), MaxAttrValue)
		}
		out = append(out, slog.Any(printable(k, MaxAttrKey), v))
	}
	return out
}

// printable returns the first bytes of s, at most n, with everything that does not print
// escaped. That may make it six times as long.
func printable(s string, n int) string {
	cut := len(s) > n
	if cut {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	plain := func(r rune) bool { return strconv.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) >= 0 {
		var b strings.Builder
		for _, r := range s {
			if plain(r) {
				b.WriteRune(r)
				continue
			}
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = b.String()
	}
	if cut {
		s += " …"
	}
	return s
}
