/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay.h - carries accepted events from landlog.event to Kafka, in order (DESIGN,
 * section 2).
 *
 * A relay holds a lease for each partition that it carries and takes those that are free.
 * Taking over, it writes a fence with an epoch above all that it finds on Kafka, reads
 * forward to it, imports what Postgres lacks, and opens the service's gate once that is
 * done for all its partitions. From then on it sends row after row with an idempotent
 * producer, and marks how far Kafka has acknowledged.
 *
 * It runs by relay_step(), which never waits for Kafka: leases are renewed while a broker
 * is away. Whatever fails ends the relay: close it and open another, which takes over
 * from what it finds. Nothing is lost or doubled for readers by that, at any moment.
 *
 * Threads: one owner.
 */
#ifndef LL_RELAY_H
#define LL_RELAY_H

#include "core/base/settings.h"
#include "core/log/reader.h"

struct relay;

struct relay_options {
    const struct settings *settings; /* outlives the relay */
    const char *owner;               /* of the leases; see lease.h */
    const char *service;             /* only its topics; NULL: of all services */
    /* Carry the topics of `service` though it is on the postgres store: `log copy`.
     * Events on Kafka that Postgres lacks are then a contradiction, and not imported. */
    bool is_filling;
    /* Take over from the relay of another database, though nothing has happened to this
     * one: the operator says that it is the one to keep. */
    bool is_reclaiming;
};

/* LL_EDATABASE is passing. Partitions are taken by relay_step(). */
ll_rc relay_open(const struct relay_options *options, struct relay **out,
                 struct ll_error *err) LL_MUST_CHECK;

/* Do what there is to do, then wait for more, `timeout_ms` at most. LL_EDATABASE and
 * LL_ECONFLICT (a lease or the store was taken away) are passing. A partition where Kafka
 * and Postgres contradict each other needs a person: it is left alone and counted in
 * `broken`, and tried again after a while; the others go on. */
ll_rc relay_step(struct relay *relay, int timeout_ms, struct ll_error *err) LL_MUST_CHECK;

struct relay_progress {
    size_t held, partitions;     /* carried by this relay, and all there are */
    uint64_t sent, acknowledged; /* events, since it was opened */
    uint64_t imported;           /* that Postgres lacked */
    uint64_t relayed;            /* sum of the marks of those held */
    uint64_t lag;                /* accepted and not yet marked, of those held */
    size_t broken;               /* partitions halted; `why` says it of the last */
    struct ll_error why;
};

/* All but `lag` and `relayed`, without asking Postgres. */
void relay_count(const struct relay *relay, struct relay_progress *out);
/* All of it; the lag is asked of Postgres. */
ll_rc relay_progress(struct relay *relay, struct relay_progress *out,
                     struct ll_error *err) LL_MUST_CHECK;

/* Send and mark all that is accepted, while somebody keeps more from being accepted.
 * LL_ETIMEOUT when that took longer: nothing is wrong, go on. */
ll_rc relay_drain(struct relay *relay, int timeout_ms,
                  struct ll_error *err) LL_MUST_CHECK;

/* Waits for what was sent, `flush_ms` at most, and gives the leases back. After a failure
 * of relay_step() nothing is waited for. NULL is nothing. */
void relay_close(struct relay *relay, int flush_ms);

#endif
