// Package blobstore keeps values in a bucket: of S3, Google Cloud Storage, Azure,
// or whatever else gocloud.dev/blob has a driver for. It is a module of its own
// because of what such drivers need.
//
//	bucket, err := blob.OpenBucket(ctx, "s3://sessions?region=eu-north-1") // with the driver imported
//	...
//	sessions, err := store.NewSessions(store.SessionsConfig{Store: blobstore.New(bucket), Keys: keys})
//
// # How values are compared and swapped
//
// Drivers have one condition in common: to write an object only if there is none
// of its name (blob.WriterOptions.IfNotExist). So an object is never changed. The
// value of KEY is the object KEY/_NUMBER with the highest number, 16 hexadecimal
// digits, and whoever replaces number n creates number n+1: of several who try,
// the bucket lets one. Delete creates an object too, one that says so, and numbers
// go on from it. Objects with lower numbers are removed by whoever creates a
// higher one, and nothing depends on when.
//
// Somebody slow may still create n+1 when it was there, was replaced and was
// removed. It is not the highest number then, so nobody takes it for the value;
// and whoever has created an object lists the key, and if there is a higher one
// says so with an error that leaves open whether its own was the value for a
// moment or never. That is rare, and what Sessions expects of a store.
//
// A version is the number and the random nonce of its object, since numbers begin
// again when a deleted key has been forgotten ([Store.Clean]).
//
// A Put costs a short read (or a list), a write, a list and a deletion, a Get a
// list and a read.
//
// # What a bucket must do
//
// IfNotExist must be atomic, and reads and lists must see what was written before
// they began. Amazon S3, Google Cloud Storage and Azure say so of theirs, and
// memblob does it. fileblob (in v0.47.0) looks and then renames, which is not
// atomic: use it for tests with one writer at a time, and else [store.OpenDir]. A
// rule of the bucket must not remove current objects.
package blobstore
