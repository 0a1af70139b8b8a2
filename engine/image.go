package engine

import (
	"container/list"
	"errors"
	"sync"

	"github.com/sporeengine/spore/snapshot"
)

// An imageCache keeps the images of components mapped, up to a number of bytes,
// and with each of them guest memories that are ready for a render. A component
// whose image was dropped keeps only what differs from its runtime's image;
// the next render maps it again.
type imageCache struct {
	max          int64 // bytes of images
	idlePerImage int   // memories kept ready for each image

	mu     sync.Mutex
	lru    list.List // of *imageEntry with an image, most recently used first; guarded by mu
	bytes  int64     // size of these images; guarded by mu
	idle   int       // memories kept ready; guarded by mu
	builds uint64    // guarded by mu
}

// An imageEntry is the place of one component in an imageCache.
type imageEntry struct {
	build    func() (*image, error) // maps the image again
	building sync.Mutex             // held during build; comes before imageCache.mu

	// Guarded by imageCache.mu.
	image   *image
	element *list.Element
	idle    []*snapshot.Memory
	users   int  // memories in use
	closed  bool // the component was closed
}

// add puts a new image into the cache.
func (c *imageCache) add(e *imageEntry, img *image) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(e, img)
	c.trim()
}

func (c *imageCache) insert(e *imageEntry, img *image) {
	e.image = img
	e.element = c.lru.PushFront(e)
	c.bytes += int64(len(img.memory.Bytes()))
}

// acquire returns a memory in the state of e's image, and the image.
func (c *imageCache) acquire(e *imageEntry) (*snapshot.Memory, *image, error) {
	c.mu.Lock()
	for e.image == nil && !e.closed {
		c.mu.Unlock()
		if err := c.rebuild(e); err != nil {
			return nil, nil, err
		}
		c.mu.Lock()
	}
	if e.closed {
		c.mu.Unlock()
		return nil, nil, ErrClosed
	}
	img := e.image
	c.lru.MoveToFront(e.element)
	e.users++
	if n := len(e.idle); n > 0 {
		m := e.idle[n-1]
		e.idle = e.idle[:n-1]
		c.idle--
		c.mu.Unlock()
		return m, img, nil
	}
	c.mu.Unlock()
	for {
		m, err := img.memory.NewMemory()
		if err == nil {
			return m, img, nil
		}
		if !errors.Is(err, snapshot.ErrTooMany) || !c.dropIdle() {
			c.mu.Lock()
			c.unuse(e)
			c.mu.Unlock()
			return nil, nil, err
		}
	}
}

// rebuild maps e's image again, once however many callers want it.
func (c *imageCache) rebuild(e *imageEntry) error {
	e.building.Lock()
	defer e.building.Unlock()
	c.mu.Lock()
	have := e.image != nil || e.closed
	c.mu.Unlock()
	if have {
		return nil
	}
	img, err := e.build()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.closed {
		return img.memory.Close()
	}
	c.builds++
	c.insert(e, img)
	e.users++ // or trim could drop it at once
	c.trim()
	e.users--
	return nil
}

// release takes back a memory from acquire. If clean, its state is that of the
// image again.
func (c *imageCache) release(e *imageEntry, m *snapshot.Memory, clean bool) error {
	var err error
	c.mu.Lock()
	defer c.mu.Unlock()
	if clean && !e.closed && len(e.idle) < c.idlePerImage {
		e.idle = append(e.idle, m)
		c.idle++
	} else {
		err = m.Close()
	}
	c.unuse(e)
	return err
}

// unuse ends a use of e. c.mu is held.
func (c *imageCache) unuse(e *imageEntry) {
	e.users--
	if e.closed && e.users == 0 {
		c.drop(e)
	}
	c.trim()
}

// trim drops the images that were not used for longest until the others fit.
// c.mu is held.
func (c *imageCache) trim() {
	for el := c.lru.Back(); el != nil && c.bytes > c.max; {
		e := el.Value.(*imageEntry)
		el = el.Prev()
		if e.users == 0 {
			c.drop(e)
		}
	}
}

// drop unmaps e's image and memories, none of which is in use. c.mu is held.
func (c *imageCache) drop(e *imageEntry) error {
	if e.image == nil {
		return nil
	}
	var errs []error
	for _, m := range e.idle {
		errs = append(errs, m.Close())
	}
	c.idle -= len(e.idle)
	e.idle = nil
	c.bytes -= int64(len(e.image.memory.Bytes()))
	c.lru.Remove(e.element)
	errs = append(errs, e.image.memory.Close())
	e.image, e.element = nil, nil
	return errors.Join(errs...)
}

// dropIdle unmaps the ready memories of the image that was not used for
// longest, and reports whether there were any.
func (c *imageCache) dropIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for el := c.lru.Back(); el != nil; el = el.Prev() {
		e := el.Value.(*imageEntry)
		if len(e.idle) == 0 {
			continue
		}
		for _, m := range e.idle {
			m.Close() // unmapping memory that is not in use does not fail
		}
		c.idle -= len(e.idle)
		e.idle = nil
		return true
	}
	return false
}

// remove takes e out of the cache, now or when its last memory comes back.
func (c *imageCache) remove(e *imageEntry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.closed = true
	if e.users > 0 {
		return nil
	}
	return c.drop(e)
}

// close drops every image. None is in use.
func (c *imageCache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for el := c.lru.Front(); el != nil; el = c.lru.Front() {
		e := el.Value.(*imageEntry)
		e.closed = true
		errs = append(errs, c.drop(e))
	}
	return errors.Join(errs...)
}

func (c *imageCache) stats(s *Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Images, s.ImageBytes = c.lru.Len(), c.bytes
	s.ImageBuilds, s.Memories = c.builds, c.idle
}
