package engine

import (
	"fmt"
	"log/slog"

	"github.com/sporeengine/spore/snapshot"
)

// reset takes mem, in which a render of c has run, back to c's image. With
// Config.VerifyReset it makes sure that it is there. After an error, which is
// an ErrReset, mem must not be used again.
func (c *Component) reset(mem *snapshot.Memory) error {
	e := c.engine
	err := e.resetMemory(mem)
	if err == nil && e.cfg.VerifyReset {
		err = mem.Verify()
	}
	if err == nil {
		return nil
	}
	e.counters.badResets.Add(1)
	e.cfg.Log.Error("engine: a guest's memory is not its image after a reset, and is thrown away",
		slog.String("component", c.meta.Name), slog.Any("error", err))
	return fmt.Errorf("%w: %w", ErrReset, err)
}
