
// What is put behind a kernel: runs all of its threads, one after the other.
size_t fake_bytes = sizeof(P);
static P *fake_params;
#ifndef FAKE_FIBERS
void fake_run(unsigned blocks, unsigned threads, void *params, char *stacks) {
  fake_blocks = blocks;
  fake_threads = threads;
  for (fake_bid = 0; fake_bid < blocks; fake_bid++)
    for (fake_tid = 0; fake_tid < threads; fake_tid++) k(*(P *)params);
}
#else
static ucontext_t fake_start, fake_back;
static __attribute__((noinline)) void fake_stop(unsigned t) {
  fake_state[t] = 0;
  if (_setjmp(fake_fiber[t]) == 0) _longjmp(fake_main, 1);
}
static void fake_thread(void) {
  unsigned t = fake_tid;
  if (_setjmp(fake_fiber[t]) == 0) swapcontext(&fake_start, &fake_back);
  for (;;) {
    k(*fake_params);
    fake_stop(t);
  }
}
static __attribute__((noinline)) void fake_resume(unsigned t) {
  fake_tid = t;
  if (_setjmp(fake_main) == 0) _longjmp(fake_fiber[t], 1);
}
void fake_run(unsigned blocks, unsigned threads, void *params, char *stacks) {
  fake_blocks = blocks;
  fake_threads = threads;
  fake_params = params;
  for (unsigned t = 0; t < threads; t++) {
    getcontext(&fake_start);
    fake_start.uc_stack.ss_sp = stacks + ((size_t)t << 16);
    fake_start.uc_stack.ss_size = 1 << 16;
    fake_start.uc_link = 0;
    makecontext(&fake_start, fake_thread, 0);
    fake_tid = t;
    swapcontext(&fake_back, &fake_start);
  }
  for (fake_bid = 0; fake_bid < blocks; fake_bid++)
    for (unsigned left = threads; left;) {
      unsigned waiting = 0;
      left = 0;
      for (unsigned t = 0; t < threads; t++) {
        fake_resume(t);
        waiting += fake_state[t] == 2;
      }
      if (waiting && waiting != threads) abort(); // not all threads met
      left = waiting;
    }
}
#endif
