package engine

// TestCacheDir is the cache that the tests of both packages share.
var TestCacheDir string
