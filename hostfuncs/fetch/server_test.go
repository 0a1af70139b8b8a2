package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

func TestLargeResponses(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write := func(out io.Writer, n int) {
			for b := make([]byte, 1000); n > 0; n -= len(b) {
				if _, err := out.Write(b[:min(n, len(b))]); err != nil {
					return
				}
			}
		}
		switch r.URL.Path {
		case "/exact":
			write(w, 1000)
		case "/more":
			write(w, 1001)
		case "/declared":
			w.Header().Set("Content-Length", "1000000000000")
		case "/endless":
			write(w, 1<<40)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			write(z, 1<<30)
		case "/headers":
			for i := range maxResponseHeaders {
				w.Header().Set(fmt.Sprintf("x-%d", i), "")
			}
		case "/header":
			w.Header().Set("X", strings.Repeat("a", maxResponseBytes))
		case "/huge":
			w.Header().Set("X", strings.Repeat("a", 100*maxResponseBytes))
		}
	}))
	c := w.client(t, Options{Rules: []Rule{{Host: "api.example.com"}}, MaxResponse: 1000})
	a, err := get(c, "https://api.example.com/exact")
	require.NoError(t, err)
	assert.Len(t, a.body, 1000)
	for path, want := range map[string]string{"/more": hostfuncs.CodeTooLarge, "/declared": hostfuncs.CodeTooLarge, "/endless": hostfuncs.CodeTooLarge,
		"/bomb": hostfuncs.CodeTooLarge, "/headers": hostfuncs.CodeTooLarge, "/header": hostfuncs.CodeTooLarge, "/huge": CodeUnreachable} {
		_, err := get(c, "https://api.example.com"+path)
		assert.Equal(t, want, code(err), path)
	}
	a, err = c.do(context.Background(), ask{method: "HEAD", url: "https://api.example.com/declared"})
	require.NoError(t, err)
	assert.Empty(t, a.body)
}

// TestBadServers has servers that write what they like. The ones that are slow keep the guest until
// its time is over and no longer.
func TestBadServers(t *testing.T) {
	for name, s := range map[string]struct {
		says string
		then func(net.Conn)
		code string
	}{
		"closes":          {"", nil, CodeUnreachable},
		"garbage":         {"SSH-2.0-OpenSSH\r\n", nil, CodeUnreachable},
		"truncated":       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", nil, CodeUnreachable},
		"bad chunk":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", nil, CodeUnreachable},
		"two lengths":     {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", nil, CodeUnreachable},
		"bad gzip":        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc", nil, CodeUnreachable},
		"switches":        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", block, CodeUnreachable},
		"silent":          {"", block, hostfuncs.CodeTimeout},
		"half a header":   {"HTTP/1.1 200 OK\r\nA: ", block, hostfuncs.CodeTimeout},
		"no body":         {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", block, hostfuncs.CodeTimeout},
		"slow drip":       {"HTTP/1.1 200 OK\r\n\r\n", drip("a"), hostfuncs.CodeTimeout},
		"header drip":     {"HTTP/1.1 200 OK\r\nA: ", drip("a"), hostfuncs.CodeTimeout},
		"continues":       {"", drip("HTTP/1.1 100 Continue\r\n\r\n"), hostfuncs.CodeTimeout},
		"empty gzip":      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", drip(string(zipped(nil))), hostfuncs.CodeTimeout},
		"second response": {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			var open sync.WaitGroup
			open.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					open.Go(func() {
						defer conn.Close()
						conn.Read(make([]byte, 4096))
						io.WriteString(conn, s.says)
						if s.then != nil {
							s.then(conn)
						}
					})
				}
			})
			w := newWorld(t, echo)
			w.servers[netip.MustParseAddrPort(server+":80")] = l.Addr().String()
			c := w.client(t, Options{Rules: []Rule{{Host: "api.example.com", HTTP: true}}})
			f := hostfuncs.New("fetch.test", "", func(ctx context.Context, _ struct{}) (string, error) {
				a, err := c.do(ctx, ask{url: "http://api.example.com/"})
				if err != nil {
					return "", err
				}
				return string(a.body), nil
			})
			f.Timeout = time.Minute
			if s.code == hostfuncs.CodeTimeout {
				f.Timeout = 50 * time.Millisecond
			}
			for range 2 {
				v, err := f.Call(context.Background(), hostfuncs.Value{})
				assert.Equal(t, s.code, code(err), "%v", err)
				if err == nil {
					assert.Equal(t, `"a"`, string(v.JSON))
				} else {
					assert.NotContains(t, hostfuncs.ForGuest(err).Message, "127.0.0.1")
				}
			}
			l.Close()
			open.Wait() // until the client has closed every connection
		})
	}
}

// block waits until the other side closes the connection.
func block(conn net.Conn) { io.Copy(io.Discard, conn) }

// drip writes s again and again, slowly, until the other side closes the connection.
func drip(s string) func(net.Conn) {
	return func(conn net.Conn) {
		for {
			if _, err := io.WriteString(conn, s); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// TestSilentTLS has a server that accepts connections and does not go on.
func TestSilentTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	w := newWorld(t, echo)
	w.servers[netip.MustParseAddrPort(server+":443")] = l.Addr().String()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = w.client(t, Options{Rules: []Rule{{Host: "api.example.com"}}}).do(ctx, ask{url: "https://api.example.com/"})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestCertificates(t *testing.T) {
	w := newWorld(t, echo)
	w.name("other.test", server)
	c := w.client(t, Options{Rules: []Rule{{Host: "other.test"}, {Host: "api.example.com"}}})
	_, err := get(c, "https://other.test/") // the certificate is for *.example.com
	assert.Equal(t, CodeUnreachable, code(err))
	c.rootCAs = nil
	_, err = get(c, "https://api.example.com/")
	assert.Equal(t, CodeUnreachable, code(err), "nobody vouches for it")
}
