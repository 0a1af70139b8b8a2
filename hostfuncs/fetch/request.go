package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// An ask is a request as the guest wrote it.
type ask struct {
	method, url string
	headers     map[string]string
	body        []byte
}

// An answer is what the guest gets.
type answer struct {
	status  int
	url     string // of the last request
	headers map[string]string
	body    []byte

	next string // where it redirects to, "" if it does not
}

// do makes a request and follows its redirects.
func (c *client) do(ctx context.Context, q ask) (*answer, error) {
	method := strings.ToUpper(q.method)
	if method == "" {
		method = http.MethodGet
	}
	if !isMethod(method) {
		return nil, hostfuncs.Errorf(hostfuncs.CodeInvalid, "there is no method %q here", clip(q.method))
	}
	t, err := parseTarget(nil, q.url)
	if err != nil {
		return nil, err
	}
	headers, err := guestHeaders(q.headers)
	if err != nil {
		return nil, err
	}
	body := q.body
	if len(body) > 0 && (method == http.MethodGet || method == http.MethodHead) {
		return nil, hostfuncs.Errorf(hostfuncs.CodeInvalid, "a request with method %s has no body", method)
	}
	if int64(len(body)) > c.maxRequest {
		return nil, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the request's body has more than %d bytes", c.maxRequest)
	}
	rule, err := find(c.rules, method, t)
	if err != nil {
		return nil, err
	}
	release, err := c.slots.acquire(ctx, hostfuncs.CallerOf(ctx).Tenant)
	if err != nil {
		return nil, err
	}
	defer release()
	var known secrets
	for hop := 0; ; hop++ {
		follow := hop < c.redirects
		a, err := c.exchange(ctx, rule, t, method, headers, body, &known, follow)
		if err != nil || a.next == "" || !follow {
			return a, err
		}
		// What comes now was written by the server, which is not trusted either.
		to, err := parseTarget(t.url, a.next)
		switch {
		case err != nil:
			return nil, unfollowed(hop, err)
		case t.scheme == "https" && to.scheme == "http":
			return nil, unfollowed(hop, hostfuncs.Errorf(hostfuncs.CodeDenied, "it leads from https:// to http://"))
		case known.redact(to.url.String()) != to.url.String():
			return nil, unfollowed(hop, hostfuncs.Errorf(hostfuncs.CodeDenied, "its URL contains a credential of the host"))
		}
		if a.status == http.StatusSeeOther && method != http.MethodHead || method == http.MethodPost && a.status < http.StatusTemporaryRedirect {
			method, body = http.MethodGet, nil
			headers.Del("Content-Type")
		}
		if !t.sameOrigin(to) {
			headers = only(headers, impersonal)
		}
		if rule, err = find(c.rules, method, to); err != nil {
			return nil, unfollowed(hop, err)
		}
		t = to
	}
}

// unfollowed is the error of a redirect that is not allowed.
func unfollowed(hop int, err error) error {
	if e, ok := errors.AsType[*hostfuncs.Error](err); ok {
		return hostfuncs.Errorf(hostfuncs.CodeDenied, "redirect %d: %s", hop+1, e.Message)
	}
	return err
}

// exchange sends one request, on a connection of its own, and reads the response, but not the body of a redirect
// that is followed. The credentials that it sends are added to known.
func (c *client) exchange(ctx context.Context, r *Rule, t *target, method string, headers http.Header, body []byte, known *secrets, follow bool) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, t.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err) // parseTarget has let something through
	}
	req.Header = headers.Clone()
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "spore")
	}
	injected, err := r.inject(req)
	if err != nil {
		return nil, err
	}
	*known = append(*known, injected...)
	conn, err := c.connect(ctx, r, t)
	if err != nil {
		return nil, mayBeContext(ctx, err)
	}
	defer hangUp(conn)
	dialled := func(context.Context, string, string) (net.Conn, error) { return conn, nil }
	transport := &http.Transport{DialContext: dialled, DialTLSContext: dialled, DisableKeepAlives: true, MaxResponseHeaderBytes: 4 * maxResponseBytes}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, mayBeContext(ctx, unreachable(err, "no proper response from %s", t.authority()))
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, unreachable(errors.New("switching protocols"), "no proper response from %s", t.authority())
	}
	a := &answer{status: resp.StatusCode, url: t.url.String()}
	if a.headers, err = r.responseHeaders(resp.Header, *known); err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case 301, 302, 303, 307, 308:
		a.next = resp.Header.Get("Location")
	}
	if a.next != "" && follow {
		return a, nil
	}
	if resp.ContentLength > c.maxResponse && method != http.MethodHead {
		return nil, c.tooLarge()
	}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, c.maxResponse+1))
	if int64(len(a.body)) > c.maxResponse {
		return nil, c.tooLarge()
	}
	if err != nil {
		return nil, mayBeContext(ctx, unreachable(err, "the response of %s is damaged", t.authority()))
	}
	a.body = known.redactBytes(a.body)
	return a, nil
}

func (c *client) tooLarge() error {
	return hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the response's body has more than %d bytes", c.maxResponse)
}

// mayBeContext returns the error of ctx if that has ended, and so err is but what came of it.
func mayBeContext(ctx context.Context, err error) error {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done() // the network noticed the deadline first
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
