package fetch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.com":                   "https://example.com/",
		"HTTPS://EXAMPLE.com./a?b=c#d":          "https://example.com/a?b=c",
		"https://example.com:443/":              "https://example.com/",
		"https://example.com:00443/":            "https://example.com/",
		"https://example.com:/":                 "https://example.com/",
		"http://example.com:80/":                "http://example.com/",
		"http://example.com:443/":               "http://example.com:443/",
		"https://example.com:8443/":             "https://example.com:8443/",
		"https://xn--bcher-kva.example/":        "https://xn--bcher-kva.example/",
		"https://a_b.example.com/%2f?%0d%0a":    "https://a_b.example.com/%2f?%0d%0a",
		"https://93.184.215.14/":                "https://93.184.215.14/",
		"https://[2606:4700:0::1111]:8443/":     "https://[2606:4700::1111]:8443/",
		"https://[2606:4700::1111]/":            "https://[2606:4700::1111]/",
		"https://[::ffff:127.0.0.1]/":           "https://[::ffff:127.0.0.1]/",
		"https://example.com/a/../b":            "https://example.com/a/../b",
		"https://example.com//evil.example/":    "https://example.com//evil.example/",
		"https://1.example.com/":                "https://1.example.com/",
		"https://example.com?x=https://y@z:1/#": "https://example.com/?x=https://y@z:1/",
	} {
		got, err := parseTarget(nil, text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, got.url.String())
			again, err := parseTarget(nil, got.url.String())
			require.NoError(t, err)
			assert.Equal(t, got, again, "a fixed point")
		}
	}
	for _, text := range []string{
		"", "example.com", "//example.com/", "/a", "https:example.com", "https:///a", "https:/example.com", "file:///etc/passwd", "gopher://example.com/",
		"ftp://example.com", "unix:///run/docker.sock", "data:text/plain,a", "javascript:1", "https+unix://a/",
		"https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/", "https://example.com@127.0.0.1/", `https://example.com\@127.0.0.1/`,
		"https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.0.0.01/", "https://127.0.0.1./",
		"https://0/", "https://1.1.1.1.1/", "https://256.1.1.1/", "https://example.com.1/", "https://a.0x/", "https://a.0xff/",
		"https://[fe80::1%25eth0]/", "https://[::1]a/", "https://[::1/", "https://::1/", "https://[127.0.0.1]/", "https://[example.com]/",
		"https://bücher.example/", "https://ｅxample.com/", "https://127。0。0。1/", "https://b%C3%BCcher.example/", "https://%65xample.com/", "https://example%2ecom/",
		"https://example..com/", "https://.example.com/", "https://example.com../", "https://./", "https://-_.*/", "https://*.example.com/", "https://a b/",
		"https://example.com:0/", "https://example.com:65536/", "https://example.com:-1/", "https://example.com:8a/", "https://example.com:80:80/",
		"https://example.com/a b", "https://example.com/\r\nHost: evil", "https://example.com/\x00", "https://example.com/%zz", "https://example.com/é", "\thttps://example.com/",
		"https://" + strings.Repeat("a", 64) + ".example/", "https://" + strings.Repeat("abc.", 64) + "example/", "https://example.com/" + strings.Repeat("a", maxURL),
	} {
		_, err := parseTarget(nil, text)
		assert.Equal(t, hostfuncs.CodeInvalid, code(err), "%.100q", text)
	}
}

func TestHostsOfRules(t *testing.T) {
	// A host of a rule and one of a URL are the same if they are read as the same.
	for _, host := range []string{"EXAMPLE.com", "example.com.", "2606:4700:0::1111", "*.Example.com"} {
		r, err := Rule{Host: host}.check()
		require.NoError(t, err)
		again, err := r.check()
		require.NoError(t, err)
		assert.Equal(t, r, again)
	}
}

func TestRulesThatMakeNoSense(t *testing.T) {
	for says, r := range map[string]Rule{
		`host ""`:            {},
		"neither a name":     {Host: "*.1.2.3.4"},
		`host "**"`:          {Host: "**"},
		`host "*.*.com"`:     {Host: "*.*.com"},
		`host "https://a.b"`: {Host: "https://a.b"},
		`host "a.b:80"`:      {Host: "a.b:80"},
		`host "127.1"`:       {Host: "127.1"},
		"port 0":             {Host: "a.b", Ports: []uint16{443, 0}},
		`method "get"`:       {Host: "a.b", Methods: []string{"get"}},
		`method "CONNECT"`:   {Host: "a.b", Methods: []string{"CONNECT"}},
		`method "TRACE"`:     {Host: "a.b", Methods: []string{"TRACE"}},
		`path "v1"`:          {Host: "a.b", Paths: []string{"v1"}},
		`path "/v1/../"`:     {Host: "a.b", Paths: []string{"/v1/../"}},
		"address prefix":     {Host: "a.b", Addresses: prefixes("::ffff:10.0.0.0/104")},
		"every host":         {Host: "*", Headers: map[string]string{"Authorization": "x"}},
		"not for a rule":     {Host: "a.b", Headers: map[string]string{"Transfer-Encoding": "chunked"}},
		"not printable":      {Host: "a.b", Headers: map[string]string{"Authorization": "x\r\ny: z"}},
	} {
		_, err := Functions(Options{Rules: []Rule{{Host: "example.com"}, r}})
		assert.ErrorContains(t, err, says)
	}
}

func TestFind(t *testing.T) {
	var rules []Rule
	for _, r := range []Rule{
		{Host: "api.example.com", Methods: []string{"GET", "POST"}, Paths: []string{"/v1", "/open/"}},
		{Host: "*.example.com"},
		{Host: "plain.test", HTTP: true, Ports: []uint16{80, 8080}},
		{Host: "93.184.215.14"},
	} {
		r, err := r.check()
		require.NoError(t, err)
		rules = append(rules, r)
	}
	for _, c := range []struct{ method, url, host, says string }{
		{"GET", "https://api.example.com/v1", "api.example.com", ""},
		{"POST", "https://api.example.com/v1/a?b", "api.example.com", ""},
		{"POST", "https://api.example.com/open/a", "api.example.com", ""},
		{"GET", "https://api.example.com/v2", "*.example.com", ""},
		{"POST", "https://api.example.com/v10", "", "path"},
		{"POST", "https://api.example.com/open", "", "path"},
		{"POST", "https://api.example.com/V1", "", "path"},
		{"POST", "https://api.example.com//v1", "", "path"},
		{"POST", "https://api.example.com/v1/../v2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/%2e%2E/v2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/.%2e/v2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/%252e%252e/v2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/..;/v2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/..%3b/v2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/..%2fv2", "", "dot segments"},
		{"POST", "https://api.example.com/v1%2fa", "", "dot segments"},
		{"POST", "https://api.example.com/v1/%252fa", "", "dot segments"},
		{"POST", "https://api.example.com/v1/%5c..%5cv2", "", "dot segments"},
		{"POST", "https://api.example.com/v1/a%00", "", "dot segments"},
		{"POST", "https://api.example.com/v1/100%25", "", "dot segments"},
		{"POST", "https://api.example.com/v1/%2525252525252525", "", "dot segments"},
		{"POST", "https://api.example.com/v1/a%20%c3%bc;x=1/...", "api.example.com", ""},
		{"HEAD", "https://a.b.example.com/../x", "*.example.com", ""},
		{"DELETE", "https://a.b.example.com/x", "", "method DELETE is not allowed for a.b.example.com"},
		{"GET", "https://example.com/", "", "host example.com"},
		{"GET", "https://notexample.com/", "", "host"},
		{"GET", "https://x.example.com.evil.test/", "", "host"},
		{"GET", "https://x.example.com:8443/", "", "port 8443"},
		{"GET", "http://x.example.com/", "", "https:// only"},
		{"GET", "http://plain.test:8080/", "plain.test", ""},
		{"GET", "http://plain.test/", "plain.test", ""},
		{"GET", "http://plain.test:81/", "", "port 81"},
		{"GET", "https://plain.test/", "", "http:// only"},
		{"GET", "https://93.184.215.14/", "93.184.215.14", ""},
		{"GET", "https://93.184.215.15/", "", "host"},
	} {
		to, err := parseTarget(nil, c.url)
		require.NoError(t, err)
		r, err := find(rules, c.method, to)
		if c.says == "" {
			if assert.NoError(t, err, "%s %s", c.method, c.url) {
				assert.Equal(t, c.host, r.Host, c.url)
			}
			continue
		}
		assert.Equal(t, hostfuncs.CodeDenied, code(err), c.url)
		assert.ErrorContains(t, err, c.says, c.url)
	}
	every, err := Rule{Host: "*"}.check()
	require.NoError(t, err)
	for url, ok := range map[string]bool{"https://a.b/": true, "https://localhost/": true, "https://1.1.1.1/": false, "https://[2606:4700::1]/": false} {
		to, err := parseTarget(nil, url)
		require.NoError(t, err)
		_, err = find([]Rule{every}, "GET", to)
		assert.Equal(t, ok, err == nil, url)
	}
}
