package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/sporeengine/spore/snapshot"
)

// ImageKey returns the key for the image of a component, which is not sealed: whoever reads it compares its
// digest with that of the (sealed) record that names it, as [GetImage] does.
func ImageKey(d snapshot.Digest) string { return "images/" + d.String() }

// PutImage stores the image of a component, unless it is there already. Sessions need
// it for as long as they are kept, also when there is a newer version of the component. s stays the caller's.
func PutImage(ctx context.Context, st Store, s *snapshot.Snapshot) error {
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		return err
	}
	_, err := st.Put(ctx, ImageKey(s.Digest()), b.Bytes(), Absent)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// GetImage returns the image with a digest, which the caller closes. Without one the error is [ErrNotFound]; if there is
// another in its place, or something else, it is [ErrCorrupt]. It serves as Fetch in the configuration of an engine.
func GetImage(ctx context.Context, st Store, d snapshot.Digest) (*snapshot.Snapshot, error) {
	b, _, err := st.Get(ctx, ImageKey(d))
	if err != nil {
		return nil, err
	}
	s, err := snapshot.Read(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: image %v: %w", ErrCorrupt, d, err)
	}
	if is := s.Digest(); is != d {
		return nil, errors.Join(fmt.Errorf("%w: image %v is in the place of %v", ErrCorrupt, is, d), s.Close())
	}
	return s, nil
}
