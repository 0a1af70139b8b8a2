package fetch

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/sporeengine/spore/hostfuncs"
)

// maxURL bounds a URL, in bytes.
const maxURL = 8 << 10

// A target is a URL of which there is only one reading. What is sent is written anew
// from it, so that nothing depends on how others would read what the guest wrote.
type target struct {
	scheme string
	host   string     // a name in lower case without a final dot, or an address as netip writes it
	addr   netip.Addr // valid if the host is an address
	port   uint16
	url    *url.URL
}

// parseTarget reads an absolute URL. A relative one is read against base, unless that is nil.
func parseTarget(base *url.URL, text string) (*target, error) {
	invalid := func(why string) error {
		return hostfuncs.Errorf(hostfuncs.CodeInvalid, "URL %q %s", clip(text), why)
	}
	if len(text) > maxURL {
		return nil, invalid("is too long")
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '\\' {
			return nil, invalid("has a character that must be percent-encoded, or in a host name written as punycode")
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, invalid("is not a URL")
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	t := &target{scheme: strings.ToLower(u.Scheme)}
	switch {
	case t.scheme != "https" && t.scheme != "http" || u.Opaque != "" || u.Host == "":
		return nil, invalid("does not begin with https:// and a host")
	case u.User != nil:
		return nil, invalid("has a user name, which is not allowed")
	}
	if t.host, t.addr = parseHost(u.Hostname()); t.host == "" || strings.Contains(u.Host, "%") {
		return nil, invalid("has a host that is neither a name nor an IP address in its common form")
	}
	if t.addr.Is6() != strings.HasPrefix(u.Host, "[") {
		return nil, invalid("has brackets in its host that do not belong there")
	}
	switch p := u.Port(); {
	case p == "" && t.scheme == "https":
		t.port = 443
	case p == "":
		t.port = 80
	default:
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, invalid("has no valid port")
		}
		t.port = uint16(n)
	}
	host := t.host
	if t.addr.Is6() {
		host = "[" + host + "]"
	}
	if t.scheme == "https" && t.port != 443 || t.scheme == "http" && t.port != 80 {
		host = net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
	}
	t.url = &url.URL{Scheme: t.scheme, Host: host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if t.url.Path == "" {
		t.url.Path = "/"
	}
	return t, nil
}

// parseHost returns a host in its one form, and its address if it is one. The host is "" if
// it could be read in more than one way.
func parseHost(s string) (string, netip.Addr) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return a.String(), a
	}
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if len(s) == 0 || len(s) > 253 {
		return "", netip.Addr{}
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if len(l) == 0 || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", netip.Addr{}
		}
	}
	// 2130706433, 0x7f000001, 0177.1 and the like are addresses for some resolvers: what
	// ends in a number is an address, says the URL standard.
	last := labels[len(labels)-1]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == "" {
		return "", netip.Addr{}
	}
	return s, netip.Addr{}
}

// authority is the host and port for messages.
func (t *target) authority() string { return t.url.Host }

// sameOrigin reports whether o is served by the same party as t.
func (t *target) sameOrigin(o *target) bool {
	return t.scheme == o.scheme && t.host == o.host && t.port == o.port
}

// clip shortens what a guest wrote, for a message.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
