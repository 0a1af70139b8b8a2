package store

import "github.com/sporeengine/spore/snapshot"

// ImageKey returns the key for the image of a component. An image is stored once,
// with Put and Absent, for which ErrConflict means that it is there already. It is
// not sealed: whoever reads it compares its digest with that of the (sealed)
// record that names it, as [snapshot.Read] and [snapshot.Snapshot.Digest] do.
func ImageKey(d snapshot.Digest) string { return "images/" + d.String() }
