// Package kv gives guests a store of keys and values.
//
// Values are anything that crosses between guest and host: JSON, with binary parts that are
// stored as they are. Each write gives its key a version, by which a guest changes
// only what it has read (compare and swap). Keys may expire.
//
// What a call sees is a space: the keys of its tenant, and within these of what Options.Scope says. A guest
// has no way to name another. Quotas hold for each space.
//
// A write is made once, even if an instance that was suspended, or whose process died, calls it again after it
// was resumed: a space remembers its last 256 writes by their idempotency keys ([hostfuncs.Caller].Key).
package kv

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/sporeengine/spore/hostfuncs"
)

// CodeConflict is the code of the error that a guest gets if a key has not the
// version that it was to have.
const CodeConflict = "conflict"

// Bounds, and values of fields of [Options] that are not positive.
const (
	MaxKey          = 512       // bytes of a key
	MaxList         = 1000      // keys that one call lists
	DefaultMaxKeys  = 10_000    // of Options.MaxKeys
	DefaultMaxValue = 256 << 10 // of Options.MaxValue
	DefaultMaxBytes = 16 << 20  // of Options.MaxBytes

	defaultList = 100
	// maxTTL is a hundred years: longer than that is for ever.
	maxTTL = 100 * 365 * 24 * 3600 * 1000
	// slack is what an argument or a result may take beside the value, keys above all.
	slack = 16 << 10
)

// Options of [Functions]. The zero value is a store in memory, of a bounded size.
type Options struct {
	// Backend is where the items are. Nil means a [Memory] of its own for the functions
	// that Functions returns.
	Backend Backend

	// Scope names the part of the tenant's keys that a call sees, from the call's context: a user that
	// the embedder has put there, or [hostfuncs.CallerOf](ctx).Component. Nil means that
	// everything of a tenant shares its keys.
	Scope func(ctx context.Context) string

	// MaxKeys, MaxValue and MaxBytes bound a space: its keys, the bytes of one value, and the
	// bytes of all keys and values. What the store needs beside these is not counted.
	MaxKeys  int
	MaxValue int64
	MaxBytes int64
}

// space returns the name of the space that a call sees.
func (o *Options) space(ctx context.Context) string {
	scope := ""
	if o.Scope != nil {
		scope = o.Scope(ctx)
	}
	return Space(hostfuncs.CallerOf(ctx).Tenant, scope)
}

// Space returns the name by which a [Backend] knows the keys of a tenant and a scope. No two pairs have
// the same.
func Space(tenant, scope string) string { return url.PathEscape(tenant) + "/" + url.PathEscape(scope) }

type getArg struct {
	Key string `json:"key"`
}

type found struct {
	Value     hostfuncs.Value `json:"value"`
	Version   uint64          `json:"version" jsonschema:"for if_version"`
	ExpiresMS uint64          `json:"expires_ms,omitempty" jsonschema:"when the key expires, in milliseconds since 1970"`
}

type putArg struct {
	Key       string          `json:"key" jsonschema:"at most 512 bytes"`
	Value     hostfuncs.Value `json:"value" jsonschema:"JSON or binary, or JSON with binary parts"`
	IfVersion *uint64         `json:"if_version,omitempty" jsonschema:"the version that the key must have now, 0 for none: a conflict otherwise"`
	TTL       uint64          `json:"ttl_ms,omitempty" jsonschema:"after how many milliseconds the key expires; never if 0"`
}

type stored struct {
	Version uint64 `json:"version"`
}

type deleteArg struct {
	Key       string  `json:"key"`
	IfVersion *uint64 `json:"if_version,omitempty" jsonschema:"the version that the key must have now: a conflict otherwise"`
}

type deleted struct {
	Deleted bool `json:"deleted" jsonschema:"whether there was such a key"`
}

type listArg struct {
	Prefix string `json:"prefix,omitempty" jsonschema:"of the keys"`
	After  string `json:"after,omitempty" jsonschema:"the last key of the page before"`
	Limit  int    `json:"limit,omitempty" jsonschema:"100 if absent, at most 1000"`
}

type listed struct {
	Key     string `json:"key"`
	Version uint64 `json:"version"`
	Bytes   uint64 `json:"bytes" jsonschema:"of the value"`
}

type page struct {
	Keys []listed `json:"keys"`
	More bool     `json:"more" jsonschema:"whether there are keys behind the last of these"`
}

// Functions returns kv.get, kv.put, kv.delete and kv.list. To grant reading alone, put them into a set
// and use Set.Only.
func Functions(opts Options) []hostfuncs.Func {
	o := &opts
	if o.Backend == nil {
		o.Backend = NewMemory(0)
	}
	if o.MaxKeys <= 0 {
		o.MaxKeys = DefaultMaxKeys
	}
	if o.MaxValue <= 0 {
		o.MaxValue = DefaultMaxValue
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	get := hostfuncs.New("kv.get", "The value of a key and its version, null if there is none.", o.get)
	put := hostfuncs.New("kv.put", "Sets the value of a key. To change a value that others change too, give the version that kv.get returned, and begin again on a conflict.", o.put)
	remove := hostfuncs.New("kv.delete", "Deletes a key.", o.delete)
	list := hostfuncs.New("kv.list", "Keys in the order of their bytes.", o.list)
	get.MaxResult = max(get.MaxResult, o.MaxValue+slack)
	put.MaxArg = max(put.MaxArg, o.MaxValue+slack)
	return []hostfuncs.Func{get, put, remove, list}
}

func (o *Options) get(ctx context.Context, arg getArg) (*found, error) {
	if err := checkKey(arg.Key); err != nil {
		return nil, err
	}
	var out *found
	err := o.view(ctx, func(s *space) error {
		it, err := s.item(arg.Key)
		if err == nil && it.version != 0 {
			out = &found{Value: clone(it.value), Version: it.version, ExpiresMS: it.expires}
		}
		return err
	})
	return out, guestError(err)
}

// clone returns a value that outlives the transaction.
func clone(v hostfuncs.Value) hostfuncs.Value {
	out := hostfuncs.Value{JSON: slices.Clone(v.JSON)}
	for _, b := range v.Buffers {
		out.Buffers = append(out.Buffers, bytes.Clone(b))
	}
	return out
}

func (o *Options) put(ctx context.Context, arg putArg) (out stored, err error) {
	if err := checkKey(arg.Key); err != nil {
		return out, err
	}
	if n := arg.Value.Size(); n > o.MaxValue {
		return out, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "kv.put takes no value of %d bytes, at most %d", n, o.MaxValue)
	}
	err = o.update(ctx, func(s *space) error {
		version, ok, err := s.done()
		if ok || err != nil {
			out.Version = version
			return err
		}
		old, err := s.current(arg.Key)
		if err == nil {
			err = checkVersion(arg.Key, old, arg.IfVersion)
		}
		if err != nil {
			return err
		}
		it := item{value: arg.Value}
		if arg.TTL > 0 {
			it.expires = s.now + min(arg.TTL, maxTTL)
		}
		if !s.fits(arg.Key, old, it) {
			if err := s.sweep(o.MaxKeys); err != nil {
				return err
			}
			if !s.fits(arg.Key, old, it) {
				return hostfuncs.Errorf(hostfuncs.CodeQuota, "kv.put: there is room for %d keys and %d bytes", o.MaxKeys, o.MaxBytes)
			}
		}
		if out.Version, err = s.put(arg.Key, it); err != nil {
			return err
		}
		return s.remember(out.Version)
	})
	return out, guestError(err)
}

func (o *Options) delete(ctx context.Context, arg deleteArg) (out deleted, err error) {
	if err := checkKey(arg.Key); err != nil {
		return out, err
	}
	err = o.update(ctx, func(s *space) error {
		result, ok, err := s.done()
		if ok || err != nil {
			out.Deleted = result != 0
			return err
		}
		old, err := s.current(arg.Key)
		if err == nil {
			err = checkVersion(arg.Key, old, arg.IfVersion)
		}
		if err != nil {
			return err
		}
		if out.Deleted, err = s.remove(arg.Key); err != nil || !out.Deleted {
			return err
		}
		return s.remember(1)
	})
	return out, guestError(err)
}

func (o *Options) list(ctx context.Context, arg listArg) (out page, err error) {
	if arg.Limit < 0 || arg.Limit > MaxList {
		return out, hostfuncs.Errorf(hostfuncs.CodeInvalid, "kv.list: limit %d, at most %d", arg.Limit, MaxList)
	}
	if arg.Limit == 0 {
		arg.Limit = defaultList
	}
	err = o.view(ctx, func(s *space) (err error) {
		out.Keys, out.More, err = s.list(arg.Prefix, arg.After, arg.Limit)
		return err
	})
	return out, guestError(err)
}

func checkKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return hostfuncs.Errorf(hostfuncs.CodeInvalid, "kv: a key has 1 to %d bytes, not %d", MaxKey, len(key))
	}
	return nil
}

func checkVersion(key string, it item, want *uint64) error {
	if want != nil && *want != it.version {
		return hostfuncs.Errorf(CodeConflict, "kv: %.100q has version %d, not %d", key, it.version, *want)
	}
	return nil
}

// guestError makes of a full store what guests know of.
func guestError(err error) error {
	if errors.Is(err, ErrFull) {
		return errors.Join(hostfuncs.Errorf(hostfuncs.CodeQuota, "kv: the store is full"), err)
	}
	return err
}
