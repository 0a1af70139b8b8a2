//go:build !linux || !(amd64 || arm64)

package snapshot

// newImageBacking returns the copying backing.
func newImageBacking(mem []byte, max int64) (imageBacking, error) {
	return newCopyImage(mem, max), nil
}
