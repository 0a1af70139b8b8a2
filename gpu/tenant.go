package gpu

import (
	"context"
	"encoding/binary"
	"sync"
)

// TenantOf returns a number for the tenant that a backend in a worker evaluates for, given the context of
// [Backend].Eval, and 0 if that is not known. No two tenants of a pool have the same; one may have several, one after the other. A backend that
// keeps memory from one evaluation to the next clears it unless both are known and equal.
func TenantOf(ctx context.Context) uint64 {
	n, _ := ctx.Value(tenantKey{}).(uint32)
	return uint64(n)
}

type tenantKey struct{}

// WithTenant returns a context of which [TenantOf] is n, for those who call a backend without a pool.
func WithTenant(ctx context.Context, n uint32) context.Context {
	if n == 0 {
		return ctx
	}
	return context.WithValue(ctx, tenantKey{}, n)
}

// tenants numbers the tenants of a pool.
type tenants struct {
	mu    sync.Mutex
	known map[string]uint32
	last  uint32
}

// maxTenants bounds the names that are kept. Those that were forgotten get other numbers.
const maxTenants = 1 << 14

// number returns a tenant's number. When the numbers are used up it is 0 for those that have none.
func (t *tenants) number(name string) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.known[name]; n != 0 {
		return n
	}
	if t.last+1 == 0 {
		return 0
	}
	if t.known == nil || len(t.known) >= maxTenants {
		t.known = map[string]uint32{}
	}
	t.last++
	t.known[name] = t.last
	return t.last
}

// setTenant puts a tenant into the parts of a request to evaluate.
func setTenant(parts [][]byte, n uint32) { binary.LittleEndian.PutUint32(parts[0][12:], n) }
