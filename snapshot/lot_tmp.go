package snapshot

import "sync"

type LotHandle uint64
type Lot struct {
	mu sync.Mutex
	m  map[LotHandle][]byte
	n  LotHandle
	b  int64
}

func NewLot(max int64) *Lot { return &Lot{m: map[LotHandle][]byte{}} }
func (l *Lot) Put(b []byte) (LotHandle, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	l.m[l.n] = append([]byte(nil), b...)
	l.b += int64(len(b))
	return l.n, nil
}
func (l *Lot) Get(h LotHandle, dst []byte) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(dst, l.m[h]...), nil
}
func (l *Lot) Free(h LotHandle) { l.mu.Lock(); defer l.mu.Unlock(); l.b -= int64(len(l.m[h])); delete(l.m, h) }
func (l *Lot) Used() int64     { l.mu.Lock(); defer l.mu.Unlock(); return l.b }
func (l *Lot) Close() error    { return nil }
