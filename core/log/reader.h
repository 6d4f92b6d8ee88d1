/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reader.h - following partitions of a topic, whichever store keeps it.
 *
 * A reader starts behind the last event its owner has applied and demands to see that
 * very event (sequence and id, and time: two databases may have accepted one key) first:
 * a recreated topic, a restored database, a promoted replica is LL_EBROKEN, never resumed
 * into. A gap is LL_EBROKEN too. Void records (foreign, or of a lower epoch behind a
 * fence) are skipped and counted.
 *
 * Threads: a reader belongs to one thread. Calls block at most their time-out.
 */
#ifndef LL_READER_H
#define LL_READER_H

#include "core/base/arena.h"
#include "core/base/settings.h"
#include "core/log/record.h"

struct log_cursor {
    uint32_t partition;
    uint64_t sequence; /* of the last event applied; 0: none, start at the first */
    struct uuid id;    /* of that event; nil: whoever only looks demands nothing */
    int64_t time;      /* of that event; 0: not known */
};

struct log_batch {
    const struct record *records; /* per partition in order; partitions interleave */
    size_t count;
    uint64_t void_records; /* skipped so far, since the reader was opened */
};

struct log_reader;

/* One of two: postgres_reader, kafka_reader. */
struct log_reader_api {
    ll_rc (*next)(struct log_reader *r, size_t max_events, int timeout_ms,
                  struct log_batch *out, struct ll_error *err);
    ll_rc (*end)(struct log_reader *r, uint32_t partition, uint64_t *sequence,
                 struct ll_error *err);
    void (*wake)(struct log_reader *r);
    void (*close)(struct log_reader *r);
};

struct log_reader {
    const struct log_reader_api *api;
};

enum {
    READER_EVENTS = 10000,         /* the most that a caller may ask for at once */
    READER_BYTES = 8 * 1024 * 1024 /* of data in a batch, whatever was asked for */
};

/* Open on the store that the referee names now. `topic` and `settings` must outlive the
 * reader. A cursor each for the partitions that it follows. */
ll_rc log_reader_open(const struct settings *settings, const struct topic *topic,
                      const struct log_cursor *cursors, size_t n, struct log_reader **out,
                      struct ll_error *err) LL_MUST_CHECK;

/* Up to `max_events` that are there, READER_BYTES at most; waits for the first at most
 * `timeout_ms` (a commit elsewhere wakes it within milliseconds). None is LL_OK with
 * count 0. The records are valid until the next call. Failures return none, and the next
 * call begins behind the last event returned: LL_EDATABASE is passing (call again, after
 * a while: it connects anew), LL_EBROKEN is final, LL_ECONFLICT says that the log is on
 * another store now: close this reader and open one. */
static inline ll_rc log_reader_next(struct log_reader *r, size_t max_events,
                                    int timeout_ms, struct log_batch *out,
                                    struct ll_error *err)
{
    return r->api->next(r, max_events, timeout_ms, out, err);
}

/* The sequence of the partition's last event now; 0 when it is empty. */
static inline ll_rc log_reader_end(struct log_reader *r, uint32_t partition,
                                   uint64_t *sequence, struct ll_error *err)
{
    return r->api->end(r, partition, sequence, err);
}

/* End a wait in next() early. The one call that another thread may make. */
static inline void log_reader_wake(struct log_reader *r)
{
    r->api->wake(r);
}

static inline void log_reader_close(struct log_reader *r)
{
    if (r != NULL) r->api->close(r);
}

#endif
