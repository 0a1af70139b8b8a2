// What kernels are compiled with for the processor, in the place of a device's built-in words.
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <ucontext.h>
#define KERNEL static void
#define FN static inline
#define SHARED static
static unsigned fake_tid, fake_bid, fake_threads, fake_blocks;
#define TID fake_tid
#define BID fake_bid
#define THREADS fake_threads
#define BLOCKS fake_blocks

// The threads of a block that meet (SYNC) are contexts of their own, which run in turn. All of them must meet.
static jmp_buf fake_main, fake_fiber[256];
static unsigned char fake_state[256]; // 0 done, 1 running, 2 waiting
static __attribute__((noinline, unused)) void fake_sync(void) {
  unsigned t = fake_tid;
  fake_state[t] = 2;
  if (_setjmp(fake_fiber[t]) == 0) _longjmp(fake_main, 1);
}
#define SYNC fake_sync()
