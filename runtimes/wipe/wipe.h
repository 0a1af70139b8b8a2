/* Memory that is given up is wiped at once, by every allocator of an interpreter.

   What an instance does not use any more must not be in what is kept of it: a
   secret that the component has dropped stays out of its snapshots. It must be
   done when a block is freed and not only before memory is captured, because the
   next owner of a block need not write to all of it, and then nobody knows what
   in it is his. Zeros also make less of a difference to an image.

   A render's memory is not kept, so there is nothing to wipe: the host says by
   the field `kept` of the control block (runtimes/ABI.md) which it is. */

#ifndef WIPE_H
#define WIPE_H

#include <stddef.h>
#include <stdint.h>

/* The control block, whose name in C the build gives. */
extern uint32_t wipe_control[8] __asm__(WIPE_CONTROL);

static inline int
wipe_wanted(void)
{
    return wipe_control[7] != 0;
}

/* Zeroes n bytes. Of longer pieces it writes only where they are not zero: memory
   that was never written to stays equal to the image. It is a function with a
   loop, although most blocks are short, because what one way through a function
   costs without loops is charged to its callers whether they go there or not. */
void wipe_now(void *at, size_t n);

static inline void
wipe(void *at, size_t n)
{
    if (wipe_wanted()) {
        wipe_now(at, n);
    }
}

/* Zeroes the part of the C stack that is not in use, where earlier calls left what
   they worked with. The stack lies in front of all data and grows towards address
   0. Wiping ends at address 0 or where there was nothing for `gap` bytes, which is
   as far as calls have reached, but for larger arrays that they did not use. */
void wipe_stack(uintptr_t gap);

#define WIPE_GAP 65536 /* after a call: no frame of the interpreters' own C code is longer */

#endif
