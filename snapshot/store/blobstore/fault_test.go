package blobstore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
)

var errBroken = errors.New("connection reset")

// A faultBucket passes everything on to a bucket in memory, late and with
// failures, before and after the fact.
type faultBucket struct {
	mem *blob.Bucket

	mu     sync.Mutex
	before float64       // part of the requests that fail
	after  float64       // part of those that are done and fail then
	delay  time.Duration // each request takes up to so long
	hook   func(op, key string) error
}

// newFaultBucket returns a bucket that works until told otherwise.
func newFaultBucket() (*faultBucket, *blob.Bucket) {
	f := &faultBucket{mem: memblob.OpenBucket(nil)}
	return f, blob.NewBucket(f)
}

func (f *faultBucket) set(before, after float64, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after, f.delay = before, after, delay
}

func (f *faultBucket) setHook(hook func(op, key string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// do makes a request.
func (f *faultBucket) do(ctx context.Context, op, key string, request func() error) error {
	f.mu.Lock()
	before, after, delay, hook := f.before, f.after, f.delay, f.hook
	f.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(rand.N(delay)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if hook != nil {
		if err := hook(op, key); err != nil {
			return err
		}
	}
	if rand.Float64() < before {
		return errBroken
	}
	err := request()
	if rand.Float64() < after {
		return errBroken
	}
	return err
}

func (f *faultBucket) ErrorCode(err error) gcerrors.ErrorCode { return gcerrors.Code(err) }
func (f *faultBucket) As(any) bool                            { return false }
func (f *faultBucket) ErrorAs(error, any) bool                { return false }
func (f *faultBucket) Close() error                           { return f.mem.Close() }

func (f *faultBucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (page *driver.ListPage, err error) {
	err = f.do(ctx, "list", opts.Prefix, func() error {
		token := opts.PageToken
		if len(token) == 0 {
			token = blob.FirstPageToken
		}
		// Small pages, so that there are several.
		objects, next, err := f.mem.ListPage(ctx, token, 3, &blob.ListOptions{Prefix: opts.Prefix})
		page = &driver.ListPage{NextPageToken: next}
		for _, o := range objects {
			page.Objects = append(page.Objects, &driver.ListObject{Key: o.Key, ModTime: o.ModTime, Size: o.Size})
		}
		return err
	})
	return page, err
}

func (f *faultBucket) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	var r *blob.Reader
	err := f.do(ctx, "read", key, func() (err error) {
		r, err = f.mem.NewRangeReader(ctx, key, offset, length, nil)
		return err
	})
	if err != nil {
		if r != nil {
			r.Close()
		}
		return nil, err
	}
	return faultReader{r}, nil
}

type faultReader struct{ *blob.Reader }

func (r faultReader) As(any) bool { return false }
func (r faultReader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{ContentType: r.ContentType(), ModTime: r.ModTime(), Size: r.Size()}
}

func (f *faultBucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	return &faultWriter{ctx: ctx, f: f, key: key, opts: blob.WriterOptions{ContentType: contentType, IfNotExist: opts.IfNotExist}}, nil
}

type faultWriter struct {
	ctx  context.Context
	f    *faultBucket
	key  string
	opts blob.WriterOptions
	b    []byte
}

func (w *faultWriter) Write(b []byte) (int, error) {
	w.b = append(w.b, b...)
	return len(b), nil
}

func (w *faultWriter) Close() error {
	return w.f.do(w.ctx, "write", w.key, func() error { return w.f.mem.WriteAll(w.ctx, w.key, w.b, &w.opts) })
}

func (f *faultBucket) Delete(ctx context.Context, key string, _ *driver.DeleteOptions) error {
	return f.do(ctx, "delete", key, func() error { return f.mem.Delete(ctx, key) })
}

var errUnused = errors.New("not used by blobstore")

func (f *faultBucket) Attributes(context.Context, string) (*driver.Attributes, error) {
	return nil, errUnused
}

func (f *faultBucket) Copy(context.Context, string, string, *driver.CopyOptions) error {
	return errUnused
}

func (f *faultBucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errUnused
}
