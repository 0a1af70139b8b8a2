package rewrite

// Version changes whenever [Rewrite] makes another module of the same input, or
// the encoding of a [Module] changes. It is meant for the keys of caches.
const Version = "rw7"
