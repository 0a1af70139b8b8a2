// Package fetch lets guests make HTTP requests to hosts that you list, and nowhere else.
//
// A guest is assumed to look for a way past the list: to your own network and the metadata
// service of your cloud, to another path, method or host than the one that was checked, to the credentials that
// requests are sent with, or to all of your memory and connections. So
//
//   - a URL that could be read in two ways is refused, and what is sent is written anew;
//   - the addresses of a host are looked up once, checked and dialled as addresses, public ones only
//     unless a [Rule] names others; a proxy of the environment is not used;
//   - redirects are not followed unless you say so, and each hop is checked like a first request;
//   - credentials are put into requests outside the guest, and taken out of what comes back;
//   - every request has a connection of its own, so that nothing which one guest makes a server say can come
//     out as another guest's response; there are no cookies and no cache;
//   - bytes, headers, time and requests at once are bounded.
//
// What it cannot know: public addresses behind which are machines of yours, and what a listed host does with a request.
// A host that sends back what it is sent in another form (reversed, encoded) shows
// credentials to the guest, and one that fetches URLs for others fetches them for guests.
package fetch

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// CodeUnreachable is the code of an error that guests get if there is no connection or
// no proper response. Others are [hostfuncs.CodeDenied], with what is not allowed in the text,
// [hostfuncs.CodeInvalid], [hostfuncs.CodeTooLarge] and [hostfuncs.CodeTimeout].
const CodeUnreachable = "unreachable"

// Values of fields of [Options] that are zero.
const (
	DefaultMaxRequest       = 512 << 10
	DefaultMaxResponse      = 2 << 20
	DefaultConcurrent       = 64
	DefaultTenantConcurrent = 8
)

// Options of [Functions]. The zero value allows nothing.
type Options struct {
	// Rules are what is allowed. The first that allows a request is the one whose credentials and
	// addresses apply.
	Rules []Rule

	// Redirects is how many redirects of a request are followed. The response behind them, or the first one
	// if it is zero, is the guest's as it is. A redirect from https:// to http:// is never followed. To another
	// host goes none of the guest's headers but Accept, Accept-Language, Content-Type and User-Agent.
	Redirects int

	// MaxRequest and MaxResponse bound the body of a request and of a response, in
	// bytes; of one that is sent compressed, the decompressed bytes. A response takes some
	// three times as much memory until the guest has it.
	MaxRequest, MaxResponse int64

	// Timeout bounds a request from the guest's call to the last byte of the response, waiting for others
	// included. Zero means [hostfuncs.DefaultTimeout].
	Timeout time.Duration

	// Concurrent bounds the requests at once, and so the connections; TenantConcurrent those of one
	// tenant. Further ones wait in line.
	Concurrent, TenantConcurrent int

	// Resolver finds the addresses of hosts. Nil means [net.DefaultResolver].
	Resolver Resolver

	// RootCAs are who may vouch for servers. Nil means those of the system.
	RootCAs *x509.CertPool
}

// A client makes the requests of one grant. It is safe for concurrent use.
type client struct {
	rules       []Rule
	redirects   int
	maxRequest  int64
	maxResponse int64
	slots       *slots
	resolver    Resolver
	rootCAs     *x509.CertPool
	dial        func(ctx context.Context, r *Rule, to netip.AddrPort) (net.Conn, error)
}

// Functions returns fetch.request. Its bounds hold for all that was made by one call of Functions: make it once
// for the program. Nothing is open between requests, so there is nothing to close.
//
// Its Doc lists the rules, but no addresses and headers, so that a model knows what it may ask for. Functions returns an error
// if a rule makes no sense.
func Functions(opts Options) ([]hostfuncs.Func, error) {
	c, err := newClient(opts)
	if err != nil {
		return nil, err
	}
	return c.functions(opts.Timeout), nil
}

func newClient(opts Options) (*client, error) {
	c := &client{redirects: opts.Redirects, rootCAs: opts.RootCAs, resolver: opts.Resolver, dial: dialTCP,
		maxRequest: positive(opts.MaxRequest, DefaultMaxRequest), maxResponse: positive(opts.MaxResponse, DefaultMaxResponse),
		slots: newSlots(positive(opts.Concurrent, DefaultConcurrent), positive(opts.TenantConcurrent, DefaultTenantConcurrent))}
	if c.resolver == nil {
		c.resolver = net.DefaultResolver
	}
	for _, r := range opts.Rules {
		r, err := r.check()
		if err != nil {
			return nil, err
		}
		c.rules = append(c.rules, r)
	}
	return c, nil
}

func positive[T int | int64](n, otherwise T) T {
	if n <= 0 {
		return otherwise
	}
	return n
}

// A failure is an error of which the guest sees only a part.
type failure struct {
	shown *hostfuncs.Error
	cause error
}

func (e *failure) Error() string   { return e.shown.Error() + ": " + e.cause.Error() }
func (e *failure) Unwrap() []error { return []error{e.shown, e.cause} }

func unreachable(cause error, format string, args ...any) error {
	return &failure{hostfuncs.Errorf(CodeUnreachable, format, args...), cause}
}
