package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/sporeengine/spore/snapshot"
)

// VerifyIdle compares every memory of c that waits for its next render with c's
// image, byte for byte up to the largest size it ever had, and that image with
// what the component's snapshot says it was.
func VerifyIdle(c *Component) error {
	first, img, err := c.engine.images.acquire(c.image)
	if err != nil {
		return err
	}
	memories := []*snapshot.Memory{first}
	for {
		c.engine.images.mu.Lock()
		more := len(c.image.idle) > 0
		c.engine.images.mu.Unlock()
		if !more {
			break
		}
		m, _, err := c.engine.images.acquire(c.image)
		if err != nil {
			return err
		}
		memories = append(memories, m)
	}
	var errs []error
	for _, m := range memories {
		verr := m.Verify()
		errs = append(errs, verr, c.engine.images.release(c.image, m, verr == nil))
	}
	return errors.Join(append(errs, verifyImage(c, img))...)
}

// verifyImage compares img with the one that c's snapshot makes.
func verifyImage(c *Component, img *image) error {
	again, err := c.image.build()
	if err != nil {
		return err
	}
	defer again.memory.Close()
	switch {
	case !slices.Equal(img.globals, again.globals):
		return fmt.Errorf("globals of the image are %v, of the snapshot %v", img.globals, again.globals)
	case img.digest != again.digest || !bytes.Equal(img.memory.Bytes(), again.memory.Bytes()):
		return errors.New("the image differs from the snapshot")
	}
	return nil
}

// SetReset replaces what takes a memory back to its image after a render.
func SetReset(e *Engine, reset func(*snapshot.Memory) error) { e.resetMemory = reset }

// IdleMemories calls f with the memories of c that wait for a render, one after
// the other, grown as far as they can. f may only read. They are reset
// afterwards.
func IdleMemories(c *Component, f func(mem []byte)) error {
	m, _, err := c.engine.images.acquire(c.image)
	if err != nil {
		return err
	}
	defer c.engine.images.release(c.image, m, true)
	m.Enter()
	b, _ := m.Grow(m.Image().Max())
	f(b)
	m.Leave()
	c.engine.images.mu.Lock()
	more := len(c.image.idle) > 0
	c.engine.images.mu.Unlock()
	if more {
		err = IdleMemories(c, f)
	}
	return errors.Join(err, m.Reset())
}

// BaseMemory is the memory of c's runtime, of which c's snapshot is a delta.
func BaseMemory(c *Component) []byte { return c.prepared.base.memory.Bytes() }
