package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// A Resolver finds the addresses of a host, as [net.Resolver] does. It must be safe for concurrent use.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	maxAddresses = 8               // of a host that are tried
	dialTimeout  = 5 * time.Second // for all of them
)

// connect makes the connection for one request. The host's name is looked up once, and the addresses found are
// checked and then dialled as addresses, so that a name cannot mean one thing to the check and another to the network.
func (c *client) connect(ctx context.Context, r *Rule, t *target) (net.Conn, error) {
	addrs := []netip.Addr{t.addr}
	if !t.addr.IsValid() {
		var err error
		if addrs, err = c.resolver.LookupNetIP(ctx, "ip", t.host); err != nil {
			return nil, unreachable(err, "host %s was not found", clip(t.host))
		}
	}
	var allowed []netip.Addr
	for _, a := range addrs {
		if r.mayDial(a) && len(allowed) < maxAddresses {
			allowed = append(allowed, a.Unmap())
		}
	}
	if len(allowed) == 0 {
		return nil, &failure{hostfuncs.Errorf(hostfuncs.CodeDenied, "the address of host %s is not allowed", clip(t.host)),
			fmt.Errorf("fetch: addresses of %s: %v", t.host, addrs)}
	}
	conn, err := c.dialAny(ctx, r, allowed, t.port)
	if err != nil {
		return nil, unreachable(err, "no connection to %s", t.authority())
	}
	if t.scheme == "http" {
		return conn, nil
	}
	secure := tls.Client(conn, &tls.Config{ServerName: t.host, RootCAs: c.rootCAs, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, unreachable(err, "no secure connection to %s", t.authority())
	}
	return secure, nil
}

// hangUp closes a connection at once. TLS would send a farewell first, and wait for the other side to take it.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	conn.Close()
}

// dialAny dials the addresses in turn, each with its share of the time that is left.
func (c *client) dialAny(ctx context.Context, r *Rule, addrs []netip.Addr, port uint16) (net.Conn, error) {
	end := time.Now().Add(dialTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		end = d
	}
	var first error
	for i, a := range addrs {
		share, cancel := context.WithTimeout(ctx, time.Until(end)/time.Duration(len(addrs)-i))
		conn, err := c.dial(share, r, netip.AddrPortFrom(a, port))
		cancel()
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// dialTCP dials an address. The kernel is asked for no address but one that the rule allows, whatever
// the net package makes of it.
func dialTCP(ctx context.Context, r *Rule, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !r.mayDial(a.Addr()) {
			return fmt.Errorf("fetch: address %s is not allowed", address)
		}
		return nil
	}}
	return d.DialContext(ctx, "tcp", to.String())
}
