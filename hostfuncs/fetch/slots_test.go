package fetch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sporeengine/spore/hostfuncs"
)

// TestConcurrent counts the requests that are at the server at once.
func TestConcurrent(t *testing.T) {
	arrived, goOn := make(chan string, 100), make(chan struct{})
	w := newWorld(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("X-Tenant")
		<-goOn
	}))
	c := w.client(t, Options{Rules: []Rule{{Host: "api.example.com"}}, Concurrent: 3, TenantConcurrent: 2})
	var wg sync.WaitGroup
	request := func(ctx context.Context, tenant string) {
		wg.Go(func() {
			_, err := c.do(hostfuncs.WithCaller(ctx, hostfuncs.Caller{Tenant: tenant}), ask{url: "https://api.example.com/", headers: map[string]string{"X-Tenant": tenant}})
			assert.Equal(t, ctx.Err(), err)
		})
	}
	impatient, cancel := context.WithCancel(context.Background())
	for range 2 {
		request(context.Background(), "a")
		assert.Equal(t, "a", <-arrived)
	}
	request(impatient, "a") // waits for a slot of its tenant
	request(context.Background(), "b")
	assert.Equal(t, "b", <-arrived, "another tenant is not kept waiting")
	request(impatient, "b") // waits for a common slot
	for c.waiting() != 5 {
		runtime.Gosched()
	}
	assert.Empty(t, arrived)
	cancel()
	for c.waiting() != 3 {
		runtime.Gosched()
	}
	request(context.Background(), "b")
	assert.Empty(t, arrived)
	close(goOn)
	assert.Equal(t, "b", <-arrived)
	wg.Wait()
	assert.Empty(t, c.slots.tenants, "who has no requests takes no memory")
}

// waiting returns how many requests run or wait.
func (c *client) waiting() (n int) {
	c.slots.mu.Lock()
	defer c.slots.mu.Unlock()
	for _, t := range c.slots.tenants {
		n += t.requests
	}
	return n
}

// TestHammer has tenants that fetch, give up and get errors, all at once, and nothing
// must be left of it: no goroutine, no connection, no slot.
func TestHammer(t *testing.T) {
	var open atomic.Int64
	w := newWorld(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/large":
			w.Write(make([]byte, 1<<20))
		case "/away":
			http.Redirect(w, r, "https://b.example.com/"+r.URL.RawQuery, http.StatusFound)
		default:
			fmt.Fprint(w, r.URL.Path, r.Header.Get("X-Tenant"))
		}
	}))
	before := runtime.NumGoroutine()
	c := w.client(t, Options{Rules: []Rule{{Host: "*.example.com"}}, Concurrent: 6, TenantConcurrent: 3, Redirects: 1, MaxResponse: 1 << 10})
	dial := c.dial
	c.dial = func(ctx context.Context, r *Rule, to netip.AddrPort) (net.Conn, error) {
		conn, err := dial(ctx, r, to)
		if err != nil {
			return nil, err
		}
		if n := open.Add(1); n > 6 {
			t.Errorf("%d connections at once", n)
		}
		return &counted{Conn: conn, open: &open}, nil
	}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			tenant := fmt.Sprint("t", i%4)
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 20 {
				path := []string{"/a", "/slow", "/large", "/away?x"}[random.IntN(4)]
				ctx, cancel := context.WithTimeout(hostfuncs.WithCaller(context.Background(), hostfuncs.Caller{Tenant: tenant}), time.Duration(random.IntN(30))*time.Millisecond)
				a, err := c.do(ctx, ask{url: "https://api.example.com" + path, headers: map[string]string{"X-Tenant": tenant}})
				switch {
				case ctx.Err() != nil: // with any outcome
				case path == "/large":
					assert.Equal(t, hostfuncs.CodeTooLarge, code(err))
				case assert.NoError(t, err) && path == "/a":
					assert.Equal(t, "/a"+tenant, string(a.body))
				case err == nil:
					assert.Equal(t, "/x", string(a.body), "another host does not get the guest's header")
				}
				cancel()
			}
		})
	}
	wg.Wait()
	assert.Zero(t, open.Load(), "open connections")
	assert.Empty(t, c.slots.tenants)
	assert.Empty(t, c.slots.all)
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // the server's own are ending
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "goroutines")
}

// counted is a connection that counts as open until it is closed.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
