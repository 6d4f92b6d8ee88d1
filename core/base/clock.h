/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* clock.h - time in milliseconds, and its text form.
 *
 * Handlers never call clock_now_ms(): event time is in the event (DESIGN, section 5).
 */
#ifndef LL_CLOCK_H
#define LL_CLOCK_H

#include "core/base/text.h"

enum { CLOCK_TEXT = 32 };

/* Wall clock, ms since 1970-01-01T00:00:00Z. */
int64_t clock_now_ms(void);
/* Never runs backwards; for durations only. */
int64_t clock_monotonic_us(void);
/* "2026-01-05T10:00:00.123Z", for years 0 to 9999. */
void clock_print(int64_t ms, char out[CLOCK_TEXT]);
/* What clock_print() writes, and nothing else. */
bool clock_parse(struct text t, int64_t *ms);

#endif
