package fetch

import (
	"context"
	"strings"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// A request is the argument of fetch.request.
type request struct {
	URL     string            `json:"url" jsonschema:"absolute; what is not ASCII is percent-encoded, in host names punycode"`
	Method  string            `json:"method,omitempty" jsonschema:"GET if there is none"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty" jsonschema:"text, sent as UTF-8"`
	Bytes   hostfuncs.Bytes   `json:"bytes,omitempty" jsonschema:"a binary body, instead of body"`
	Binary  bool              `json:"binary,omitempty" jsonschema:"the response's body is wanted as bytes"`
}

// A response is its result.
type response struct {
	Status  int               `json:"status"`
	URL     string            `json:"url" jsonschema:"of the request that this answers, behind redirects"`
	Headers map[string]string `json:"headers" jsonschema:"names in lower case"`
	Body    string            `json:"body" jsonschema:"as UTF-8, empty if it is in bytes"`
	Bytes   *hostfuncs.Bytes  `json:"bytes,omitempty" jsonschema:"the body if the request has binary"`
}

// slack is what arguments and results take beside the body: a URL and headers, all escaped.
const slack = 512 << 10

// functions returns the functions of c.
func (c *client) functions(timeout time.Duration) []hostfuncs.Func {
	doc := "Makes an HTTP request. A status of 400 or more is no error.\n" +
		"Errors have a code: denied, invalid_argument, unreachable, timeout or too_large.\nAllowed:"
	for i := range c.rules {
		doc += "\n" + c.rules[i].String()
	}
	f := hostfuncs.New("fetch.request", doc,
		func(ctx context.Context, q request) (response, error) {
			if q.Body != "" && q.Bytes != nil {
				return response{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "there are both body and bytes")
			}
			body := q.Bytes
			if q.Body != "" {
				body = []byte(q.Body)
			}
			a, err := c.do(ctx, ask{method: q.Method, url: q.URL, headers: q.Headers, body: body})
			if err != nil {
				return response{}, err
			}
			r := response{Status: a.status, URL: a.url, Headers: a.headers}
			if q.Binary {
				r.Bytes = &a.body
			} else {
				r.Body = strings.ToValidUTF8(string(a.body), "\ufffd")
			}
			return r, nil
		})
	f.Timeout = timeout
	// Text may be longer in JSON, by an escape for each quote and line.
	f.MaxArg, f.MaxResult = 2*c.maxRequest+slack, 2*c.maxResponse+slack
	return []hostfuncs.Func{f}
}
