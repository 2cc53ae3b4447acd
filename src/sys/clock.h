/* clock.h: what time is it?
 *
 * The only module that asks; pure stages are given the time.
 */
#ifndef COMITY_SYS_CLOCK_H
#define COMITY_SYS_CLOCK_H

#include <stdint.h>

/* Unix microseconds, UTC. */
int64_t clock_now_us(void);
/* Microseconds since some start; never jumps. */
int64_t clock_ticks_us(void);

#endif
