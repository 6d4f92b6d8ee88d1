/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fact.h - a row of `outgoing` as a command of one event.
 *
 * All that identifies it comes from the reactor's name and the subject, so the same fact
 * is the same event whoever makes it, when, from which input and in which generation.
 */
#ifndef LL_FACT_H
#define LL_FACT_H

#include "core/event/registry.h"
#include "core/log/referee.h"

struct fact_row {
    struct text subject, type, data; /* data as JSON text */
    struct uuid cause;               /* the input event; nil: not told */
};

struct fact {
    struct record record;
    struct text guard;
    struct append_command command; /* points at the two above */
};

struct uuid fact_id(const char *reactor, struct text subject);

/* Memory is the arena's, besides what the row's views point at: RECORD_DATA + 64 KiB at
 * most. LL_EBROKEN, naming the subject, where no event can be made of it. */
ll_rc fact_make(const struct registry *registry, const char *reactor,
                const struct fact_row *row, struct arena *arena, struct fact *out,
                struct ll_error *err) LL_MUST_CHECK;

#endif
