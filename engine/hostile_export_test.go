package engine

// VerifyIdle compares a memory of c that waits for its next render with c's
// image, byte for byte up to the largest size it ever had.
func VerifyIdle(c *Component) error {
	mem, _, err := c.engine.images.acquire(c.image)
	if err != nil {
		return err
	}
	err = mem.Verify()
	return also(err, c.engine.images.release(c.image, mem, err == nil))
}
