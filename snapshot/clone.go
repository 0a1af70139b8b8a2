package snapshot

// Clone returns a snapshot with the contents of s that is closed by itself. The
// two share their memory, so this costs next to nothing. The error is
// [ErrClosed] if s was closed.
func (s *Snapshot) Clone() (*Snapshot, error) {
	blocks := s.blocks.Load()
	if blocks == nil {
		return nil, ErrClosed
	}
	c := &Snapshot{header: s.header, globals: s.globals, meta: s.meta, runs: s.runs, digest: s.digest}
	c.blocks.Store(blocks)
	return c, nil
}
