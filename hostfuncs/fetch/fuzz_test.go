package fetch

import (
	"context"
	"errors"
	"hash/crc32"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sporeengine/spore/hostfuncs"
)

// addressesOf is a resolver whose answers are as hostile as names can be: any of them, depending on the name.
type addressesOf []netip.Addr

func (a addressesOf) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	h := crc32.ChecksumIEEE([]byte(host))
	i := h % uint32(len(a))
	return a[i:min(int(i+1+h%3), len(a))], nil
}

// FuzzURL makes sure that whatever a guest passes, and wherever a server redirects it,
// nothing is dialled but an allowed address and port, for an allowed name.
func FuzzURL(f *testing.F) {
	hostile := addressesOf{netip.Addr{}}
	for _, a := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "fe80::1%lo", "2002:7f00:1::",
		"0.0.0.0", "100.64.0.1", "fd00::1", server, "2606:4700::1111", "10.9.9.9", "::ffff:10.9.9.9"} {
		hostile = append(hostile, netip.MustParseAddr(a))
	}
	c, err := newClient(Options{Resolver: hostile, Redirects: 2, Rules: []Rule{
		{Host: "*.example.com", Paths: []string{"/v1"}, Methods: []string{"GET", "POST"}},
		{Host: "*", HTTP: true},
		{Host: "inside.test", Ports: []uint16{8443}, Addresses: prefixes("10.9.0.0/16")},
		{Host: "127.0.0.1"}, {Host: server}, {Host: "::ffff:127.0.0.1"},
	}})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range [][4]string{
		{"GET", "https://a.example.com/v1/x", "", ""},
		{"POST", "https://inside.test:8443/", "content-type", "a"},
		{"GET", "https://127.0.0.1/", "Host", "a"},
		{"GET", "https://[::ffff:127.0.0.1]/", "a", "b\r\nc: d"},
		{"GET", "http://0x7f.1/", "https://a.example.com/v1/..%2f", ""},
		{"GET", "http://localhost/", "//10.0.0.1/", ""},
		{"get", "https://a.example.com./v1/../x?y#z", "X-A", ""},
		{"GET", "http://a@169.254.169.254\\@b/", "", ""},
		{"GET", "http://" + server, "", ""},
	} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	errDialed := errors.New("dialled")
	f.Fuzz(func(t *testing.T, method, url, name, value string) {
		c := *c
		for _, url := range []string{url, name} { // the name once more, as a redirect
			c.dial = func(_ context.Context, r *Rule, to netip.AddrPort) (net.Conn, error) {
				a := to.Addr()
				switch {
				case r.Host == "inside.test" && to.Port() == 8443 && netip.MustParsePrefix("10.9.0.0/16").Contains(a):
				case !isPublic(a) || a.Is4In6():
					t.Errorf("%q: dialled %v", url, to)
				case r.Host == server && a.String() == server && to.Port() == 443:
				case r.Host == "*.example.com" && to.Port() == 443:
				case r.Host == "*" && to.Port() == 80:
				default:
					t.Errorf("%q: dialled %v for %s", url, to, r.Host)
				}
				return nil, errDialed
			}
			_, err := c.do(context.Background(), ask{method: method, url: url, headers: map[string]string{name: value}})
			e, ok := errors.AsType[*hostfuncs.Error](err)
			if !ok {
				t.Fatalf("%q: %v", url, err)
			}
			if !slices.Contains([]string{hostfuncs.CodeInvalid, hostfuncs.CodeDenied, hostfuncs.CodeTooLarge, CodeUnreachable}, e.Code) || strings.Contains(e.Message, "dialled") {
				t.Fatalf("%q: %v", url, err)
			}
		}
		base, err := parseTarget(nil, "https://a.example.com/v1/x?y")
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{url, name, value} {
			to, err := parseTarget(base.url, text)
			if err != nil {
				continue
			}
			again, err := parseTarget(nil, to.url.String())
			if err != nil || again.url.String() != to.url.String() || again.host != to.host || again.port != to.port || again.addr != to.addr {
				t.Fatalf("%q is %q, which is %+v: %v", text, to.url, again, err)
			}
			if rule, err := find(c.rules, "POST", to); err == nil && rule.Host == "*.example.com" {
				if p := to.url.Path; p != "/v1" && !strings.HasPrefix(p, "/v1/") || strings.Contains(p, "/../") || strings.HasSuffix(p, "/..") {
					t.Fatalf("%q is allowed", to.url)
				}
			}
		}
	})
}
