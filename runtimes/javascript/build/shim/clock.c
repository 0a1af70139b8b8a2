// The guest's own time, by which performance.now and timers go.
//
// The host's monotonic clock means nothing in another process, and its wall clock may be set. This one begins with 0 at
// the first start of an image, follows the monotonic clock while the guest is where it is, and at a later start, when it
// may have slept for hours or been moved, catches up with the wall clock. It never goes back.

#include "shim.h"

#include <wasi/api.h>

static struct {
	int64_t origin; // wall clock at the first start, in ns like all of these
	int64_t base;   // this clock at the present start
	int64_t anchor; // monotonic clock at the present start
	int64_t latest; // what was read last
} own;

static int64_t host_clock(__wasi_clockid_t id) {
	__wasi_timestamp_t ns = 0;
	if (__wasi_clock_time_get(id, 1, &ns))
		__builtin_trap();
	return (int64_t)ns;
}

void clock_start(bool first) {
	int64_t wall = host_clock(__WASI_CLOCKID_REALTIME);
	if (first) {
		own.origin = wall;
		own.latest = 0;
	}
	int64_t since = wall - own.origin;
	own.base = since > own.latest ? since : own.latest;
	own.anchor = host_clock(__WASI_CLOCKID_MONOTONIC);
}

// In milliseconds.
double clock_now(void) {
	int64_t t = own.base + host_clock(__WASI_CLOCKID_MONOTONIC) - own.anchor;
	if (t > own.latest)
		own.latest = t;
	return own.latest / 1e6;
}

// The first start, in milliseconds since 1970.
double clock_origin(void) { return own.origin / 1e6; }
