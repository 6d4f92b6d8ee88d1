/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_flight.h - deployments that are being decided in this worker: one at a time on
 * a pointer of a type, so that rate limits see each other (contract: catalyst, 4.2 step
 * 5). What two workers do at once does no harm: the set of deployments decides.
 */
#ifndef LL_CONTENT_FLIGHT_H
#define LL_CONTENT_FLIGHT_H

#include "producers/content_service.h"

struct content_flight {
    struct content_flight *next;
    enum entity_type type;
    struct text *pointers; /* sorted */
    size_t count;
};

/* False when another one is on its way to one of the entity's pointers. `mine` and the
 * arena must stay until content_flight_end(). */
bool content_flight_begin(struct content_flight *mine, const struct entity *e,
                          struct content_state *state, struct arena *arena);
void content_flight_end(struct content_flight *mine, struct content_state *state);

#endif
