package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// code is the code that a guest gets of an error.
func code(err error) string {
	if err == nil {
		return ""
	}
	return hostfuncs.ForGuest(err).Code
}

// A world is an internet of its own: names, and servers at public addresses.
type world struct {
	names   map[string][]netip.Addr
	servers map[netip.AddrPort]string // where they really listen
	roots   *x509.CertPool

	mu     sync.Mutex
	dialed []string // addresses, in order; guarded by mu
	lookup []string // names, in order; guarded by mu
}

const server = "93.184.215.14"

// newWorld returns one with api.example.com and b.example.com at an address where h answers, at port 443 with TLS
// and at port 80 without.
func newWorld(t testing.TB, h http.Handler) *world {
	secure, plain := httptest.NewUnstartedServer(h), httptest.NewServer(h)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not like the certificate
	secure.StartTLS()
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	w := &world{names: map[string][]netip.Addr{}, servers: map[netip.AddrPort]string{}, roots: x509.NewCertPool()}
	w.roots.AddCert(secure.Certificate())
	w.name("api.example.com", server)
	w.name("b.example.com", server)
	w.servers[netip.MustParseAddrPort(server+":443")] = secure.Listener.Addr().String()
	w.servers[netip.MustParseAddrPort(server+":80")] = plain.Listener.Addr().String()
	return w
}

func (w *world) name(host string, addrs ...string) {
	w.names[host] = nil
	for _, a := range addrs {
		w.names[host] = append(w.names[host], netip.MustParseAddr(a))
	}
}

// LookupNetIP implements Resolver.
func (w *world) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lookup = append(w.lookup, host)
	if a, ok := w.names[host]; ok {
		return a, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, Server: "10.0.0.53:53", IsNotFound: true}
}

// client returns a client in w.
func (w *world) client(t testing.TB, opts Options) *client {
	opts.Resolver, opts.RootCAs = w, w.roots
	c, err := newClient(opts)
	require.NoError(t, err)
	c.dial = func(ctx context.Context, _ *Rule, to netip.AddrPort) (net.Conn, error) {
		w.mu.Lock()
		w.dialed = append(w.dialed, to.String())
		w.mu.Unlock()
		real, ok := w.servers[to]
		if !ok {
			return nil, fmt.Errorf("dial %s from 10.0.0.7: %w", to, errors.New("connection refused"))
		}
		return new(net.Dialer).DialContext(ctx, "tcp", real)
	}
	return c
}

// get fetches a URL.
func get(c *client, url string) (*answer, error) {
	return c.do(context.Background(), ask{url: url})
}
