package fetch

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

var anyMethod = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}

// echo answers with the request as it was received.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Add("X-Twice", "a")
	w.Header().Add("X-Twice", "b")
	fmt.Fprintf(w, "%s %s %s host=%s length=%d close=%v\n", r.Method, r.RequestURI, r.Proto, r.Host, r.ContentLength, r.Close)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(w, "%s: %s\n", name, r.Header[name])
	}
	w.Write(body)
})

func TestRequest(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://10.0.0.9:3128")
	t.Setenv("HTTP_PROXY", "http://10.0.0.9:3128")
	w := newWorld(t, echo)
	c := w.client(t, Options{Rules: []Rule{{Host: "api.example.com", Methods: anyMethod}, {Host: "api.example.com", HTTP: true}}})
	a, err := c.do(context.Background(), ask{method: "put", url: "https://API.example.com:443/a%2fb?c=d#e",
		headers: map[string]string{"x-id": "7", "content-type": "text/plain"}, body: []byte("hello")})
	require.NoError(t, err)
	assert.Equal(t, 200, a.status)
	assert.Equal(t, "https://api.example.com/a%2fb?c=d", a.url)
	assert.Equal(t, "a, b", a.headers["x-twice"])
	assert.Equal(t, "text/plain; charset=utf-8", a.headers["content-type"])
	assert.NotContains(t, a.headers, "connection")
	assert.Equal(t, "PUT /a%2fb?c=d HTTP/1.1 host=api.example.com length=5 close=true\n"+
		"Accept-Encoding: [gzip]\nConnection: [close]\nContent-Length: [5]\nContent-Type: [text/plain]\nUser-Agent: [spore]\nX-Id: [7]\nhello", string(a.body))

	a, err = c.do(context.Background(), ask{method: "HEAD", url: "http://api.example.com", headers: map[string]string{"User-Agent": "me"}})
	require.NoError(t, err)
	assert.Empty(t, a.body)
	assert.Equal(t, []string{server + ":443", server + ":80"}, w.dialed)
	assert.Equal(t, []string{"api.example.com", "api.example.com"}, w.lookup, "one look-up a request")
}

func TestWhatGuestsMayNotSend(t *testing.T) {
	w := newWorld(t, echo)
	c := w.client(t, Options{Rules: []Rule{{Host: "api.example.com", Methods: anyMethod}}, MaxRequest: 10})
	many := map[string]string{}
	for i := range maxHeaders + 1 {
		many[fmt.Sprintf("x-%d", i)] = ""
	}
	for _, name := range []string{"Host", "HOST", "connection", "Keep-Alive", "Proxy-Authorization", "proxy-connection", "TE", "Trailer", "transfer-encoding",
		"Content-Length", "Upgrade", "Expect", "HTTP2-Settings", "Accept-Encoding", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via",
		"X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL", "Content_Length", "X_Forwarded_For", "x_a"} {
		_, err := c.do(context.Background(), ask{url: "https://api.example.com/", headers: map[string]string{name: "1"}})
		assert.Equal(t, hostfuncs.CodeDenied, code(err), name)
	}
	for name, q := range map[string]ask{
		"empty name":   {headers: map[string]string{"": "x"}},
		"name":         {headers: map[string]string{"a b": "x"}},
		"colon":        {headers: map[string]string{"a:": "x"}},
		"injected":     {headers: map[string]string{"a\r\nHost": "x"}},
		"value":        {headers: map[string]string{"a": "b\r\nHost: evil.test"}},
		"newline":      {headers: map[string]string{"a": "b\nc"}},
		"NUL":          {headers: map[string]string{"a": "\x00"}},
		"not ASCII":    {headers: map[string]string{"a": "é"}},
		"twice":        {headers: map[string]string{"A-b": "1", "a-B": "2"}},
		"GET body":     {body: []byte("a")},
		"method":       {method: "GET /x HTTP/1.1\r\nX:"},
		"CONNECT":      {method: "CONNECT"},
		"trace":        {method: "trace"},
		"a URL":        {url: "https://api.example.com/ HTTP/1.1\r\nX: y"},
		"long method":  {method: strings.Repeat("A", 1000)},
		"empty method": {method: " "},
	} {
		if q.url == "" {
			q.url = "https://api.example.com/"
		}
		_, err := c.do(context.Background(), q)
		assert.Equal(t, hostfuncs.CodeInvalid, code(err), name)
	}
	for name, q := range map[string]ask{
		"body":    {method: "POST", body: make([]byte, 11)},
		"header":  {headers: map[string]string{"a": strings.Repeat("a", maxHeaderBytes)}},
		"headers": {headers: many},
	} {
		q.url = "https://api.example.com/"
		_, err := c.do(context.Background(), q)
		assert.Equal(t, hostfuncs.CodeTooLarge, code(err), name)
	}
	assert.Empty(t, w.lookup)
	assert.Empty(t, w.dialed)
}

func TestAddresses(t *testing.T) {
	private := prefixes("10.1.0.0/16", "fd00::/8")
	for name, c := range map[string]struct {
		addrs     []string
		addresses []netip.Prefix
		dialed    []string
		code      string
	}{
		"public":             {addrs: []string{server}, dialed: []string{server}},
		"mapped":             {addrs: []string{"::ffff:" + server}, dialed: []string{server}},
		"loopback":           {addrs: []string{"127.0.0.1"}, code: "denied"},
		"metadata":           {addrs: []string{"169.254.169.254"}, code: "denied"},
		"mapped metadata":    {addrs: []string{"::ffff:169.254.169.254"}, code: "denied"},
		"NAT64 metadata":     {addrs: []string{"64:ff9b::a9fe:a9fe"}, code: "denied"},
		"all private":        {addrs: []string{"10.0.0.1", "::1", "fe80::1"}, code: "denied"},
		"some private":       {addrs: []string{"10.0.0.1", server, "::1"}, dialed: []string{server}},
		"none":               {code: "denied"},
		"nobody there":       {addrs: []string{"93.184.215.15"}, dialed: []string{"93.184.215.15"}, code: "unreachable"},
		"the second answers": {addrs: []string{"93.184.215.15", server}, dialed: []string{"93.184.215.15", server}},
		"too many":           {addrs: slices.Repeat([]string{"93.184.215.15"}, 50), dialed: slices.Repeat([]string{"93.184.215.15"}, maxAddresses), code: "unreachable"},
		"named":              {addrs: []string{"10.1.2.3"}, addresses: private, dialed: []string{"10.1.2.3"}},
		"mapped and named":   {addrs: []string{"::ffff:10.1.2.3"}, addresses: private, dialed: []string{"10.1.2.3"}},
		"others not named":   {addrs: []string{"10.2.0.1", server, "::1", "10.1.2.3"}, addresses: private, dialed: []string{"10.1.2.3"}},
		"named and nobody":   {addrs: []string{"10.2.0.1"}, addresses: private, code: "denied"},
		"named, with a zone": {addrs: []string{"fd00::1%eth0"}, addresses: private, code: "denied"},
		"named by nothing":   {addrs: []string{server}, addresses: []netip.Prefix{}, code: "denied"},
	} {
		w := newWorld(t, echo)
		w.name("api.example.com", c.addrs...)
		w.servers[netip.MustParseAddrPort("10.1.2.3:443")] = w.servers[netip.MustParseAddrPort(server+":443")]
		_, err := get(w.client(t, Options{Rules: []Rule{{Host: "api.example.com", Addresses: c.addresses}}}), "https://api.example.com/")
		assert.Equal(t, c.code, code(err), name)
		var dialed []string
		for _, a := range c.dialed {
			dialed = append(dialed, a+":443")
		}
		assert.Equal(t, dialed, w.dialed, name)
		if err != nil {
			shown := hostfuncs.ForGuest(err).Message
			assert.NotRegexp(t, `\d+\.\d+\.\d+|:[0-9a-f]*:|refused`, shown, name)
			if c.dialed == nil {
				assert.ErrorContains(t, err, fmt.Sprint(w.names["api.example.com"]), "the host's log has the addresses")
			}
		}
	}
}

// TestRebinding has a name that means another address each time that someone asks.
func TestRebinding(t *testing.T) {
	w := newWorld(t, echo)
	c := w.client(t, Options{Rules: []Rule{{Host: "*.example.com"}}, Redirects: 5})
	for i := range 6 {
		w.name("b.example.com", []string{server, "127.0.0.1"}[i%2])
		_, err := get(c, "https://b.example.com/")
		assert.Equal(t, []string{"", "denied"}[i%2], code(err))
	}
	assert.Len(t, w.lookup, 6)
	assert.Equal(t, slices.Repeat([]string{server + ":443"}, 3), w.dialed)
	_, err := get(c, "https://nowhere.example.com/")
	assert.Equal(t, CodeUnreachable, code(err))
	assert.NotContains(t, hostfuncs.ForGuest(err).Message, "10.0.0.53")
	_, isDNS := errors.AsType[*net.DNSError](err)
	assert.True(t, isDNS, "the host learns the cause")
}

// TestDialChecksTheAddress has the last look at an address just before the kernel does.
func TestDialChecksTheAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	to := l.Addr().(*net.TCPAddr).AddrPort()
	_, err = dialTCP(context.Background(), &Rule{}, to)
	assert.ErrorContains(t, err, "is not allowed")
	_, err = dialTCP(context.Background(), &Rule{}, netip.AddrPortFrom(netip.IPv4Unspecified(), to.Port()))
	assert.ErrorContains(t, err, "is not allowed")
	conn, err := dialTCP(context.Background(), &Rule{Addresses: prefixes("127.0.0.0/8")}, to)
	require.NoError(t, err)
	conn.Close()
}

func TestRedirects(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			var status int
			fmt.Sscan(r.URL.Query().Get("status"), &status)
			w.Header().Set("Location", to)
			w.WriteHeader(status)
			io.WriteString(w, "moved")
			return
		}
		echo(w, r)
	}))
	w.name("evil.test", server)
	w.name("inside.example.com", "10.0.0.1")
	rules := []Rule{
		{Host: "api.example.com", Methods: anyMethod},
		{Host: "b.example.com", Paths: []string{"/ok"}, Methods: []string{"GET", "POST"}},
		{Host: "inside.example.com"},
		{Host: "api.example.com", HTTP: true},
	}
	type chain struct {
		method string
		status int
		to     string // relative to https://api.example.com/dir/
		url    string // of the response, "" if there is none
		says   string // the response's beginning, or the error
		code   string
	}
	for name, c := range map[string]chain{
		"301":               {"GET", 301, "/x", "https://api.example.com/x", "GET /x ", ""},
		"302 POST":          {"POST", 302, "x", "https://api.example.com/dir/x", "GET /dir/x ", ""},
		"302 PUT":           {"PUT", 302, "../x", "https://api.example.com/x", "PUT /x HTTP/1.1 host=api.example.com length=4", ""},
		"303 PUT":           {"PUT", 303, "/x", "https://api.example.com/x", "GET /x HTTP/1.1 host=api.example.com length=0", ""},
		"307 POST":          {"POST", 307, "/x", "https://api.example.com/x", "POST /x HTTP/1.1 host=api.example.com length=4", ""},
		"308 other host":    {"POST", 308, "https://b.example.com/ok/1", "https://b.example.com/ok/1", "POST /ok/1 HTTP/1.1 host=b.example.com length=4", ""},
		"300":               {"GET", 300, "/x", "https://api.example.com/dir/?to=%2Fx&status=300", "moved", ""},
		"304":               {"GET", 304, "/x", "https://api.example.com/dir/?to=%2Fx&status=304", "", ""},
		"path not allowed":  {"GET", 302, "//b.example.com/no", "", `redirect 1: path "/no" is not allowed`, "denied"},
		"method":            {"PUT", 307, "https://b.example.com/ok", "", "redirect 1: method PUT", "denied"},
		"host not allowed":  {"GET", 302, "https://evil.test/", "", "redirect 1: host evil.test is not allowed", "denied"},
		"metadata":          {"GET", 302, "http://169.254.169.254/latest/", "", "http://", "denied"},
		"literal":           {"GET", 302, "https://127.0.0.1/", "", "redirect 1: host 127.0.0.1", "denied"},
		"decimal":           {"GET", 302, "https://2130706433/", "", "redirect 1: URL", "denied"},
		"private by name":   {"GET", 302, "https://inside.example.com/", "", "the address of host inside", "denied"},
		"downgrade":         {"GET", 302, "http://api.example.com/", "", "from https:// to http://", "denied"},
		"scheme":            {"GET", 302, "file:///etc/passwd", "", "redirect 1: URL", "denied"},
		"user":              {"GET", 302, "https://a:b@api.example.com/", "", "redirect 1: URL", "denied"},
		"no URL":            {"GET", 302, "https://[", "", "redirect 1: URL", "denied"},
		"without end":       {"GET", 302, "?status=302&to=%3Fstatus%3D302%26to%3D%2Fx", "https://api.example.com/dir/?status=302&to=%3Fstatus%3D302%26to%3D%2Fx", "moved", ""},
		"empty is not next": {"GET", 302, " ", "https://api.example.com/dir/?to=+&status=302", "moved", ""},
	} {
		q := ask{method: c.method, url: "https://api.example.com/dir/?" + "to=" + url.QueryEscape(c.to) + "&status=" + fmt.Sprint(c.status),
			headers: map[string]string{"Authorization": "guest", "X-Key": "k", "Cookie": "c", "Accept": "a/b", "Content-Type": "x/y"}}
		if c.method != "GET" {
			q.body = []byte("body")
		}
		client := w.client(t, Options{Rules: rules, Redirects: 1})
		a, err := client.do(context.Background(), q)
		if c.url == "" {
			assert.Equal(t, c.code, code(err), name)
			assert.ErrorContains(t, err, c.says, name)
			continue
		}
		if !assert.NoError(t, err, name) {
			continue
		}
		assert.Equal(t, c.url, a.url, name)
		assert.True(t, strings.HasPrefix(string(a.body), c.says), "%s: %s", name, a.body)
		if strings.HasPrefix(a.url, "https://b.") {
			assert.NotRegexp(t, "Authorization|X-Key|Cookie", string(a.body), name)
		} else if a.status == 200 {
			assert.Regexp(t, `(?s)Accept: \[a/b\].*Authorization: \[guest\].*Cookie: \[c\].*X-Key: \[k\]`, string(a.body), name)
		}
		// Off by default.
		client.redirects = 0
		a, err = client.do(context.Background(), q)
		require.NoError(t, err)
		assert.Equal(t, c.status, a.status)
		assert.Equal(t, strings.TrimSpace(c.to), a.headers["location"])
	}
	for _, d := range w.dialed {
		assert.Equal(t, server+":443", d)
	}
}

func TestSecrets(t *testing.T) {
	const token = "sk-live-0123456789abcdef"
	w := newWorld(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := fmt.Sprint(r.Header["Authorization"], r.Header["X-Version"], r.Header["X-Sum"])
		w.Header().Set("X-Seen", seen)
		w.Header().Set("Set-Cookie", "session=bought-with-the-token")
		switch r.URL.Path {
		case "/away":
			w.Header().Set("Location", "https://b.example.com/")
			w.WriteHeader(302)
		case "/leak":
			w.Header().Set("Location", "https://b.example.com/?"+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			w.WriteHeader(302)
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, seen)
			z.Close()
		default:
			io.WriteString(w, seen)
		}
	}))
	rules := []Rule{
		{Host: "api.example.com", Methods: []string{"GET", "POST"},
			Headers: map[string]string{"authorization": "Bearer " + token, "X-Version": "2026-01-01", "Accept": "application/vnd.api+json"},
			Inject: func(r *http.Request) error {
				if r.URL.Path == "/fails" {
					return errors.New("the vault at 10.0.0.8 is closed")
				}
				if r.URL.Path == "/splits" {
					r.Header.Set("X-Sum", "a\r\nb: c")
					return nil
				}
				if r.Body != nil {
					return errors.New("there is a body")
				}
				b, err := r.GetBody()
				if err != nil {
					return err
				}
				body, err := io.ReadAll(b)
				r.Header.Set("X-Sum", fmt.Sprint(len(body)))
				r.URL, r.Host, r.Method = &url.URL{Scheme: "https", Host: "evil.test"}, "evil.test", "PUT" // do not count
				return err
			}},
		{Host: "b.example.com"},
	}
	c := w.client(t, Options{Rules: rules})
	for _, path := range []string{"/", "/zip"} {
		a, err := c.do(context.Background(), ask{method: "POST", url: "https://api.example.com" + path, headers: map[string]string{"Authorization": "Basic of-the-guest-000000"}, body: []byte("abc")})
		require.NoError(t, err)
		assert.Equal(t, "[[redacted]] [2026-01-01] [3]", string(a.body))
		assert.Equal(t, "[[redacted]] [2026-01-01] [3]", a.headers["x-seen"])
		assert.NotContains(t, a.headers, "set-cookie")
	}
	a, err := get(c, "https://api.example.com/leak")
	require.NoError(t, err)
	assert.Equal(t, "https://b.example.com/?[redacted]", a.headers["location"])
	c.redirects = 3
	_, err = get(c, "https://api.example.com/leak")
	assert.Equal(t, hostfuncs.CodeDenied, code(err))
	a, err = get(c, "https://api.example.com/away")
	require.NoError(t, err)
	assert.Equal(t, "[] [] []", string(a.body), "the next host gets nothing")
	assert.NotEmpty(t, a.headers["set-cookie"], "a cookie that cost nothing is the guest's")
	for _, path := range []string{"/fails", "/splits"} {
		_, err = get(c, "https://api.example.com"+path)
		assert.Equal(t, hostfuncs.CodeInternal, code(err), "%v", err)
	}
	// What a guest sends is no secret: it sees its own words again.
	a, err = c.do(context.Background(), ask{url: "https://b.example.com/", headers: map[string]string{"Authorization": "Bearer " + token}})
	require.NoError(t, err)
	assert.Contains(t, string(a.body), token)
}
