package engine

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
)

// maxLine bounds a line of output that a guest writes without ending it.
const maxLine = 4096

// A console turns what a guest prints into records of a logger. Output is
// untrusted: it is always an attribute, never a format or a key.
type console struct {
	log     *slog.Logger // nil: discard
	ctx     context.Context
	name    string // of the component
	left    int64  // bytes that may still be printed
	max     int64
	partial [2][]byte // unfinished lines of standard output and error
}

func (c *console) take(n int) error {
	if c.left -= int64(n); c.left < 0 {
		return &LimitError{Limit: limitConsole, Max: c.max}
	}
	return nil
}

// message prints one message. The newline that it does not have counts too, or
// empty messages would be free.
func (c *console) message(level slog.Level, text []byte) error {
	if err := c.take(len(text) + 1); err != nil {
		return err
	}
	c.emit(level, text)
	return nil
}

// emit logs one message that is paid for.
func (c *console) emit(level slog.Level, text []byte) {
	if c.log != nil {
		c.log.LogAttrs(c.ctx, level, "component output",
			slog.String("component", c.name), slog.String("text", strings.ToValidUTF8(string(text), "\uFFFD")))
	}
}

// write takes output to file descriptor 1 or 2 and logs the lines that are
// complete.
func (c *console) write(fd int32, p []byte) error {
	if err := c.take(len(p)); err != nil {
		return err
	}
	level := slog.LevelInfo
	if fd == 2 {
		level = slog.LevelWarn
	}
	line := &c.partial[fd-1]
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		*line = append(*line, p[:i]...)
		c.emit(level, *line)
		*line, p = (*line)[:0], p[i+1:]
	}
	*line = append(*line, p...)
	if len(*line) > maxLine {
		c.emit(level, *line)
		*line = (*line)[:0]
	}
	return nil
}

// flush logs unfinished lines, when the guest has ended.
func (c *console) flush() {
	for i, level := range []slog.Level{slog.LevelInfo, slog.LevelWarn} {
		if len(c.partial[i]) > 0 {
			c.emit(level, c.partial[i])
			c.partial[i] = nil
		}
	}
}
