package wz

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

// Error numbers of WASI preview 1.
const (
	ebadf  = 8
	efault = 21
	einval = 28
	enosys = 52
	espipe = 70
)

// maxIOVecs bounds the work of one fd_write, and maxSubscriptions of one
// poll_oneoff: between two of them a guest comes by a tick.
const (
	maxIOVecs        = 64
	maxSubscriptions = 64
)

var errno = []api.ValueType{i32}

// wasiImports are the functions of WASI preview 1 that a guest without file
// system, network, arguments and environment can use.
var wasiImports = map[string]signature{
	"args_get":          {[]api.ValueType{i32, i32}, errno, ok0},
	"args_sizes_get":    {[]api.ValueType{i32, i32}, errno, emptySizes},
	"environ_get":       {[]api.ValueType{i32, i32}, errno, ok0},
	"environ_sizes_get": {[]api.ValueType{i32, i32}, errno, emptySizes},
	"sched_yield":       {nil, errno, ok0},

	"clock_res_get": {[]api.ValueType{i32, i32}, errno, func(w *Worker, s []uint64) {
		s[0] = w.putUint64(s[1], 1)
	}},
	"clock_time_get": {[]api.ValueType{i32, i64, i32}, errno, func(w *Worker, s []uint64) {
		s[0] = w.putUint64(s[2], uint64(w.host.Clock(uint32(s[0]) == 0)))
	}},
	"random_get": {[]api.ValueType{i32, i32}, errno, func(w *Worker, s []uint64) {
		b, ok := w.view(s[0], s[1])
		if !ok {
			s[0] = efault
			return
		}
		w.charge(4 * len(b))
		if err := w.host.Random(b); err != nil {
			halt(err)
		}
		s[0] = 0
	}},
	"proc_exit": {[]api.ValueType{i32}, nil, func(_ *Worker, s []uint64) {
		halt(&Exit{uint32(s[0])})
	}},
	"poll_oneoff": {[]api.ValueType{i32, i32, i32, i32}, errno, pollOneoff},

	"fd_write": {[]api.ValueType{i32, i32, i32, i32}, errno, fdWrite},
	"fd_read": {[]api.ValueType{i32, i32, i32, i32}, errno, func(w *Worker, s []uint64) {
		if uint32(s[0]) != 0 {
			s[0] = ebadf
			return
		}
		s[0] = w.putUint32(s[3], 0)
	}},
	"fd_close": {[]api.ValueType{i32}, errno, func(_ *Worker, s []uint64) { s[0] = stdio(s[0], 0) }},
	"fd_seek":  {[]api.ValueType{i32, i64, i32, i32}, errno, func(_ *Worker, s []uint64) { s[0] = stdio(s[0], espipe) }},
	"fd_fdstat_get": {[]api.ValueType{i32, i32}, errno, func(w *Worker, s []uint64) {
		b, ok := w.view(s[1], 24)
		if !ok {
			s[0] = efault
			return
		}
		if s[0] = stdio(s[0], 0); s[0] == 0 {
			clear(b)
			b[0] = 2 // character device
		}
	}},
	"fd_prestat_get":      {[]api.ValueType{i32, i32}, errno, func(_ *Worker, s []uint64) { s[0] = ebadf }},
	"fd_prestat_dir_name": {[]api.ValueType{i32, i32, i32}, errno, func(_ *Worker, s []uint64) { s[0] = ebadf }},
}

func ok0(_ *Worker, s []uint64) { s[0] = 0 }

func emptySizes(w *Worker, s []uint64) {
	if e := w.putUint32(s[0], 0); e != 0 {
		s[0] = e
		return
	}
	s[0] = w.putUint32(s[1], 0)
}

// stdio returns errno for the file descriptors 0 to 2, the only ones there are.
func stdio(fd, errno uint64) uint64 {
	if uint32(fd) > 2 {
		return ebadf
	}
	return errno
}

func (w *Worker) putUint32(ptr uint64, v uint32) uint64 {
	b, ok := w.view(ptr, 4)
	if !ok {
		return efault
	}
	binary.LittleEndian.PutUint32(b, v)
	return 0
}

func (w *Worker) putUint64(ptr, v uint64) uint64 {
	b, ok := w.view(ptr, 8)
	if !ok {
		return efault
	}
	binary.LittleEndian.PutUint64(b, v)
	return 0
}

func fdWrite(w *Worker, s []uint64) {
	fd := int32(uint32(s[0]))
	if fd != 1 && fd != 2 {
		s[0] = ebadf
		return
	}
	count := uint64(uint32(s[2]))
	if count > maxIOVecs {
		s[0] = einval
		return
	}
	vecs, ok := w.view(s[1], count*8)
	if !ok {
		s[0] = efault
		return
	}
	w.charge(500 + 20*len(vecs)/8)
	var written uint32
	for ; len(vecs) > 0; vecs = vecs[8:] {
		b, ok := w.view(uint64(binary.LittleEndian.Uint32(vecs)), uint64(binary.LittleEndian.Uint32(vecs[4:])))
		if !ok {
			s[0] = efault
			return
		}
		if err := w.host.Write(fd, b); err != nil {
			halt(err)
		}
		w.charge(len(b))
		written += uint32(len(b))
	}
	s[0] = w.putUint32(s[3], written)
}

// pollOneoff supports what sleeping needs: it waits for the earliest clock among
// the subscriptions and reports it. Other subscriptions fail with EBADF, at once.
func pollOneoff(w *Worker, s []uint64) {
	const subscriptionSize, eventSize = 48, 32
	n := uint64(uint32(s[2]))
	if n == 0 || n > maxSubscriptions {
		s[0] = einval
		return
	}
	in, ok1 := w.view(s[0], n*subscriptionSize)
	out, ok2 := w.view(s[1], n*eventSize)
	if !ok1 || !ok2 {
		s[0] = efault
		return
	}
	w.charge(500 + 50*int(n))
	var first []byte
	var wait int64
	for ; len(in) > 0; in = in[subscriptionSize:] {
		if in[8] != 0 { // not a clock
			first, wait = in[:subscriptionSize], 0
			break
		}
		ns := binary.LittleEndian.Uint64(in[24:])
		d := int64(min(ns, 1<<62))
		if binary.LittleEndian.Uint16(in[40:])&1 != 0 { // absolute
			d -= w.host.Clock(binary.LittleEndian.Uint32(in[16:]) == 0)
		}
		if first == nil || d < wait {
			first, wait = in[:subscriptionSize], d
		}
	}
	event := [eventSize]byte{10: first[8]}
	copy(event[:8], first) // userdata
	if first[8] != 0 {
		binary.LittleEndian.PutUint16(event[8:], ebadf)
	} else if wait > 0 {
		if err := w.host.Sleep(wait); err != nil {
			halt(err)
		}
	}
	copy(out, event[:])
	s[0] = w.putUint32(s[3], 1)
}
