package fetch

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sporeengine/spore/hostfuncs"
)

// A Rule allows some requests. Its zero fields allow little: only Host has to be set.
type Rule struct {
	// Host is a name ("api.example.com"), all names below one ("*.example.com", which does not include
	// example.com), an IP address, or "*" for every name. Names that are not ASCII are written as punycode.
	Host string

	// HTTP allows http:// instead of https://, which anyone on the way can read and change.
	HTTP bool

	Ports   []uint16 // nil: the usual port of the scheme
	Methods []string // nil: GET and HEAD. CONNECT and TRACE are refused

	// Paths are those that may be requested, with all that is below them: "/v1" allows /v1
	// and /v1/users, not /v10. Nil allows every path. Paths that a server could read as another
	// one (by dot segments, or encoded slashes and dots) are refused if there are any Paths.
	Paths []string

	// Addresses, if not nil, are the only addresses that the host may have. Without them
	// it must have a public one: neither loopback nor private nor link-local and so on. A service
	// in your own network is reached by naming its addresses here, and no other host gets there.
	Addresses []netip.Prefix

	// Headers are set on every request that the rule allows, over what the guest sent. They are how a request
	// gets its credentials: no guest sees them.
	Headers map[string]string

	// Inject, if not nil, may set more headers of a request, such as a token that changes or a signature.
	// It gets a copy of the request as it would be sent, of which only the headers count, and the
	// body is for GetBody to give. It is called for each request, concurrently, and must end with
	// the request's context, from which [hostfuncs.CallerOf] tells who calls. Its error goes to the host, and to the guest only if it is a [*hostfuncs.Error].
	Inject func(r *http.Request) error
}

// check returns r in the form that allows uses.
func (r Rule) check() (Rule, error) {
	fail := func(format string, args ...any) (Rule, error) {
		return Rule{}, fmt.Errorf("fetch: rule for host %q: %w", r.Host, fmt.Errorf(format, args...))
	}
	if r.Host == "*" && (len(r.Headers) > 0 || r.Inject != nil) {
		return fail("credentials would be sent to every host")
	}
	if r.Host != "*" {
		name, below := strings.CutPrefix(r.Host, "*.")
		host, addr := parseHost(name)
		if host == "" || below && addr.IsValid() {
			return fail("it is neither a name nor an address")
		}
		r.Host = host
		if below {
			r.Host = "*." + host
		}
	}
	if slices.Contains(r.Ports, 0) {
		return fail("port 0")
	}
	if r.Methods == nil {
		r.Methods = []string{http.MethodGet, http.MethodHead}
	}
	for _, m := range r.Methods {
		if !isMethod(m) {
			return fail("method %q", m)
		}
	}
	for _, p := range r.Paths {
		if !strings.HasPrefix(p, "/") || !isPlainPath(p) {
			return fail("path %q", p)
		}
	}
	for _, p := range r.Addresses {
		if !p.IsValid() || p.Addr().Is4In6() {
			return fail("address prefix %v", p)
		}
	}
	for name, value := range r.Headers {
		if err := checkInjected(name, value); err != nil {
			return fail("%w", err)
		}
	}
	// What the caller does with its slices and maps later does not reach the rule.
	r.Ports, r.Methods, r.Paths = slices.Clone(r.Ports), slices.Clone(r.Methods), slices.Clone(r.Paths)
	r.Addresses, r.Headers = slices.Clone(r.Addresses), maps.Clone(r.Headers)
	return r, nil
}

// String tells which requests r allows, for whoever writes a component. It has none of the headers in it.
func (r Rule) String() string {
	scheme, paths, ports := "https", "", ""
	if r.HTTP {
		scheme = "http"
	}
	if r.Ports != nil {
		ports = " on ports " + strings.Trim(fmt.Sprint(r.Ports), "[]")
	}
	if r.Paths != nil {
		paths = " at " + strings.Join(r.Paths, " ")
	}
	methods := "GET HEAD"
	if r.Methods != nil {
		methods = strings.Join(r.Methods, " ")
	}
	return fmt.Sprintf("%s %s://%s%s%s", methods, scheme, r.Host, ports, paths)
}

// isMethod reports whether m is a method that a rule may allow.
func isMethod(m string) bool {
	return m != "" && len(m) <= 20 && strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && m != http.MethodConnect && m != http.MethodTrace
}

// find returns the first of the rules that allows a request, or an error that tells
// why the most lenient one does not.
func find(rules []Rule, method string, t *target) (*Rule, error) {
	reason, step := fmt.Sprintf("host %s is not allowed", clip(t.host)), 0
	for i := range rules {
		why, at := rules[i].refuses(method, t)
		if why == "" {
			return &rules[i], nil
		}
		if at > step {
			reason, step = why, at
		}
	}
	return nil, hostfuncs.Errorf(hostfuncs.CodeDenied, "%s", reason)
}

// refuses returns why r does not allow a request, and how far it got. The reason is "" if it does.
func (r *Rule) refuses(method string, t *target) (reason string, step int) {
	switch {
	case !r.matchesHost(t):
		return "host", 0
	case t.scheme == "https" && r.HTTP:
		return fmt.Sprintf("%s is allowed with http:// only", t.host), 1
	case t.scheme == "http" && !r.HTTP:
		return fmt.Sprintf("%s is allowed with https:// only", t.host), 1
	case !r.matchesPort(t):
		return fmt.Sprintf("port %d of %s is not allowed", t.port, t.host), 2
	case !slices.Contains(r.Methods, method):
		return fmt.Sprintf("method %s is not allowed for %s", clip(method), t.authority()), 3
	case r.Paths != nil && !isPlainPath(t.url.EscapedPath()):
		return fmt.Sprintf("the path has dot segments or encoded slashes, which are not allowed for %s", t.authority()), 4
	case r.Paths != nil && !slices.ContainsFunc(r.Paths, func(p string) bool { return isBelow(t.url.Path, p) }):
		return fmt.Sprintf("path %q is not allowed for %s", clip(t.url.Path), t.authority()), 5
	}
	return "", 0
}

func (r *Rule) matchesHost(t *target) bool {
	if t.addr.IsValid() {
		return r.Host == t.host
	}
	if below, ok := strings.CutPrefix(r.Host, "*"); ok {
		return strings.HasSuffix(t.host, below) && len(t.host) > len(below)
	}
	return r.Host == t.host
}

func (r *Rule) matchesPort(t *target) bool {
	if r.Ports == nil {
		return t.scheme == "https" && t.port == 443 || t.scheme == "http" && t.port == 80
	}
	return slices.Contains(r.Ports, t.port)
}

// mayDial reports whether r allows a connection to an address.
func (r *Rule) mayDial(a netip.Addr) bool {
	if r.Addresses == nil {
		return isPublic(a)
	}
	return a.Zone() == "" && contains(r.Addresses, a.Unmap())
}

// isBelow reports whether a path is p or below it.
func isBelow(path, p string) bool {
	rest, ok := strings.CutPrefix(path, p)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(p, "/"))
}

// isPlainPath reports whether a path, as it is sent, has the same segments however
// often and by whose rules it is decoded: no "." and "..", also before a semicolon, where Java's servers
// cut segments off, no backslash or control character, no slash that appears only when decoded, and
// no percent sign that is the path's own.
func isPlainPath(escaped string) bool {
	path := escaped
	for range 4 {
		for segment := range strings.SplitSeq(path, "/") {
			if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
				return false
			}
		}
		if strings.ContainsFunc(path, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) {
			return false
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || strings.Count(decoded, "/") != strings.Count(path, "/") {
			return false
		}
		if decoded == path {
			return true
		}
		path = decoded
	}
	return false
}
