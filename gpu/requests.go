package gpu

import (
	"sync"

	"github.com/sporeengine/spore/hostfuncs"
)

// requests counts what requests to functions and streams take, by tenant, from when they come until nobody works on them.
type requests struct {
	max int64 // bytes of a tenant

	mu    sync.Mutex
	bytes map[string]int64 // guarded by mu
}

func (q *requests) hold(tenant string, n int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n > q.max-q.bytes[tenant] {
		return ErrQuota
	}
	if q.bytes == nil {
		q.bytes = map[string]int64{}
	}
	q.bytes[tenant] += n
	return nil
}

func (q *requests) free(tenant string, n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes[tenant] -= n; q.bytes[tenant] == 0 {
		delete(q.bytes, tenant)
	}
}

// valueBytes is what a value of JSON takes at least, in bytes, when it is decoded: a zero in a list has one byte before and more than that then.
const valueBytes = 24

// weight returns about how many bytes of memory a value of JSON takes. It stops beyond most.
func weight(v any, most int64) int64 {
	n := int64(valueBytes)
	switch v := v.(type) {
	case string:
		n += int64(len(v))
	case []any:
		for _, e := range v {
			if n += weight(e, most-n); n > most {
				break
			}
		}
	case map[string]any:
		for k, e := range v {
			if n += valueBytes + int64(len(k)) + weight(e, most-n); n > most {
				break
			}
		}
	}
	return n
}

// maxParameters bounds the weight of the parameters of a request, in bytes.
const maxParameters = 8 << 20

// weigh returns what a request takes.
func (a *callArg) weigh() (int64, error) {
	n := weight(a.Parameters, maxParameters)
	if n > maxParameters {
		return 0, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the parameters take more than %d bytes", maxParameters)
	}
	for i := range a.Inputs {
		t := &a.Inputs[i]
		n += int64(len(t.Data) + len(t.Name) + 8*len(t.Shape) + 128)
	}
	return n, nil
}
