package fetch

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/sporeengine/spore/hostfuncs"
)

// Bounds of the headers of a request and of a response, names and values together.
const (
	maxHeaders         = 64
	maxHeaderBytes     = 16 << 10
	maxResponseHeaders = 256
	maxResponseBytes   = 64 << 10
)

// reserved are headers that guests may not set, as they belong to one connection, say where a message
// ends or who sent it, or make some servers see another method, path or host than the one that was checked.
var reserved = []string{
	"Accept-Encoding", "Connection", "Content-Length", "Expect", "Forwarded", "Host", "Http2-Settings", "Keep-Alive",
	"Proxy-*", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via", "True-Client-Ip", "Cf-Connecting-Ip",
	"X-Client-Ip", "X-Forwarded-*", "X-Host", "X-Http-*", "X-Method-*", "X-Original-*", "X-Real-Ip", "X-Rewrite-*",
}

// perHop are headers of one connection, or that frame the message. Nobody sets or sees them.
var perHop = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-*", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// impersonal are headers that say what a message is and carry no credentials.
var impersonal = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// isOne reports whether a header, in its canonical form, is on a list.
func isOne(name string, list []string) bool {
	return slices.ContainsFunc(list, func(e string) bool {
		prefix, all := strings.CutSuffix(e, "*")
		return name == e || all && strings.HasPrefix(name, prefix)
	})
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// checkField makes sure that a header is one line.
func checkField(name, value string) error {
	if name == "" || len(name) > 100 || strings.Trim(name, letters+"0123456789-_") != "" {
		return fmt.Errorf("header name %q has other characters than letters, digits and hyphens", clip(name))
	}
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c > '~' {
			return fmt.Errorf("header %s has a character that is not printable ASCII", name)
		}
	}
	return nil
}

// checkInjected checks a header of the embedder's.
func checkInjected(name, value string) error {
	if isOne(textproto.CanonicalMIMEHeaderKey(name), perHop) {
		return fmt.Errorf("header %s is not for a rule to set", name)
	}
	return checkField(name, value)
}

// guestHeaders checks the headers of a guest's request.
func guestHeaders(in map[string]string) (http.Header, error) {
	h := http.Header{}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if err := checkField(name, in[name]); err != nil {
			return nil, hostfuncs.Errorf(hostfuncs.CodeInvalid, "%v", err)
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		if isOne(key, reserved) || strings.Contains(key, "_") { // some servers read an underscore as a hyphen
			return nil, hostfuncs.Errorf(hostfuncs.CodeDenied, "header %s is not for guests to set", name)
		}
		if _, twice := h[key]; twice {
			return nil, hostfuncs.Errorf(hostfuncs.CodeInvalid, "header %s is there twice", key)
		}
		if size += len(name) + len(in[name]); len(in) > maxHeaders || size > maxHeaderBytes {
			return nil, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "there are more than %d headers or %d bytes of them", maxHeaders, maxHeaderBytes)
		}
		h[key] = []string{in[name]}
	}
	return h, nil
}

// only returns the headers of h that are on a list.
func only(h http.Header, list []string) http.Header {
	out := http.Header{}
	for name, values := range h {
		if isOne(name, list) {
			out[name] = values
		}
	}
	return out
}

// inject sets the headers of a rule on a request and returns the secrets among them.
func (r *Rule) inject(req *http.Request) (secrets, error) {
	before := req.Header
	after := before.Clone()
	for name, value := range r.Headers {
		after.Set(name, value)
	}
	if r.Inject != nil {
		c := req.Clone(req.Context())
		c.Header, c.Body = after, nil
		if err := r.Inject(c); err != nil {
			return nil, err
		}
		after = c.Header
	}
	var s secrets
	for name, values := range after {
		for _, v := range values {
			if err := checkInjected(name, v); err != nil {
				return nil, fmt.Errorf("fetch: rule for host %q: %w", r.Host, err)
			}
			if !isOne(name, impersonal) && !slices.Contains(before[name], v) {
				s.add(v)
			}
		}
	}
	req.Header = after
	return s, nil
}

// secrets are texts that no guest may see.
type secrets []string

// minSecret is the length of the shortest text that is a secret, in bytes. Shorter ones, such as the version
// of an interface, would be found where they are none.
const minSecret = 16

// add adds the value of a header, and what it is without a scheme such as "Bearer".
func (s *secrets) add(value string) {
	for _, v := range []string{value, value[strings.LastIndexByte(value, ' ')+1:]} {
		if len(v) >= minSecret && !slices.Contains(*s, v) {
			*s = append(*s, v)
		}
	}
}

// redact replaces the secrets in a text that came from outside.
func (s secrets) redact(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// redactBytes is redact for a body.
func (s secrets) redactBytes(body []byte) []byte {
	for _, secret := range s {
		if bytes.Contains(body, []byte(secret)) { // ReplaceAll would copy it in any case
			body = bytes.ReplaceAll(body, []byte(secret), []byte("[redacted]"))
		}
	}
	return body
}

// responseHeaders returns what the guest sees of the headers of a response: names in lower case, values of
// a name joined as HTTP joins them, nothing that belongs to the connection, no secret, and no cookie if
// it may be what the rule's credentials were exchanged for.
func (r *Rule) responseHeaders(h http.Header, s secrets) (map[string]string, error) {
	out := map[string]string{}
	count, size := 0, 0
	for name, values := range h {
		for _, v := range values {
			count, size = count+1, size+len(name)+len(v)
		}
		if isOne(name, perHop) || isOne(name, []string{"Set-Cookie*"}) && (r.Headers != nil || r.Inject != nil) {
			continue
		}
		out[strings.ToLower(name)] = strings.ToValidUTF8(s.redact(strings.Join(values, ", ")), "\ufffd")
	}
	if count > maxResponseHeaders || size > maxResponseBytes {
		return nil, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the response has more than %d headers or %d bytes of them", maxResponseHeaders, maxResponseBytes)
	}
	return out, nil
}
