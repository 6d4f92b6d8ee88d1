/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* relay_takeover.c - how a relay comes to be the one that writes a partition.
 *
 *   read     from the last mark to the end of what is on Kafka; halt where another
 *            database's relay has been at work (unless this one was restored)
 *   claim    in Postgres, an epoch above all that were seen
 *   fence    write it to Kafka, wait until it is there
 *   read on  to the fence: what others wrote meanwhile counts, what they write from now
 *            on is void. A fence that came second is void itself: claim again
 *   import   what Postgres lacks of all that was read
 *   open     the gate, where that was the service's last partition
 *
 * Any number of partitions of one topic go through this together.
 */
#include "core/log/relay_private.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/log/kafka_import.h"
#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, READ_EVENTS = 2000, READ_BYTES = 4 * 1024 * 1024, FENCE_MS = 30000 };

/* One partition on its way. */
struct taking {
    struct relay_part *part;
    struct kafka_known known;
    struct kafka_place lost; /* the mark, where Kafka does not have it; else zero */
    struct kafka_place last; /* the last event read that ends its command */
    struct kafka_import import;
    uint64_t in_postgres; /* the last event there when we began */
    bool is_ours;         /* this database, as it is, was the one that relayed last */
    uint64_t foreign;     /* the epoch of another database's fence; 0: none */
    uint64_t claim;       /* the epoch of our fence */
    bool is_fenced;       /* ours is the one in force */
    int64_t upto;         /* the offset to read to */
};

struct takeover {
    struct relay *relay;
    struct relay_topic *topic;
    struct kafka_feed *feed;
    size_t n;
    struct taking *taking;
    bool is_lost; /* to another database */
};

static ll_rc contradiction(const struct taking *k, struct ll_error *err)
{
    ll_error_prefix(err, "%s/%u", k->part->topic->topic.name, k->part->number);
    return LL_EBROKEN;
}

/* ---- other databases ---- */

/* Another database has the log now: appends to this one would never be answered. */
static ll_rc close_gate(struct relay *r, const char *service, struct ll_error *err)
{
    return pg_query(r->writer, "select landlog.close_gate($1)", &service, 1, NULL, err);
}

/* A fence from another database is what a restored or promoted one has to expect. But one
 * that nothing has happened to has lost its log: to write on would be a second truth. */
static ll_rc check_owner(struct takeover *t, const struct taking *k, struct ll_error *err)
{
    ll_rc rc;

    if (!k->is_ours || t->relay->options.is_reclaiming) return LL_OK;
    t->is_lost = true;
    rc = t->relay->options.is_filling
             ? LL_OK
             : close_gate(t->relay, t->topic->topic.service, err);
    if (rc != LL_OK) return rc;
    ll_fail(err, LL_EBROKEN,
            "a relay of another database has taken over (epoch %" PRIu64
            ", this one has %" PRIu64 "); if this database is the one to keep, stop "
            "the other and run `landlog relay --reclaim`",
            k->foreign, k->known.claimed);
    return contradiction(k, err);
}

/* Rows that Kafka lacks were judged without knowing what another database accepted
 * meanwhile, in whichever partition: it fenced this one before. */
static ll_rc check_judged(struct takeover *t, const struct taking *k, uint64_t on_kafka,
                          struct ll_error *err)
{
    ll_rc rc;

    if (k->foreign == 0 || k->in_postgres <= on_kafka) return LL_OK;
    if (t->relay->options.is_filling) return LL_OK; /* the log is not on Kafka */
    rc = close_gate(t->relay, t->topic->topic.service, err);
    if (rc != LL_OK) return rc;
    ll_fail(err, LL_EBROKEN,
            "Postgres has events up to %" PRIu64 ", Kafka ends at %" PRIu64
            ", and a relay of another database has been at work (epoch %" PRIu64
            "): they were decided without knowing its events; make this database anew "
            "with `landlog rebuild`",
            k->in_postgres, on_kafka, k->foreign);
    return contradiction(k, err);
}

/* ---- reading ---- */

static ll_rc fenced(void *context, size_t index, const struct kafka_envelope *fence,
                    struct ll_error *err)
{
    struct takeover *t = context;
    struct taking *k = &t->taking[index];

    k->is_fenced = fence->epoch == k->claim && uuid_equal(&fence->relay, &t->relay->id);
    if (k->is_fenced || !kafka_is_foreign(&k->known, fence)) return LL_OK;
    k->foreign = fence->epoch;
    return check_owner(t, k, err);
}

static ll_rc take_event(struct takeover *t, const struct record *record,
                        const struct kafka_origin *origin, struct ll_error *err)
{
    struct taking *k = &t->taking[origin->index];

    if (t->relay->options.is_filling && record->sequence > k->in_postgres) {
        ll_fail(err, LL_EBROKEN,
                "Kafka has event %" PRIu64 ", Postgres ends at %" PRIu64
                ": the topic holds another log, or one to `landlog rebuild` from",
                record->sequence, k->in_postgres);
        return contradiction(k, err);
    }
    if (record->sequence == k->lost.sequence &&
        (!uuid_equal(&record->id, &k->lost.id) ||
         (k->lost.time != 0 && record->time != k->lost.time))) {
        ll_fail(err, LL_EBROKEN,
                "event %" PRIu64 " on Kafka is not the one that was relayed: the topic "
                "was recreated",
                record->sequence);
        return contradiction(k, err);
    }
    kafka_import_add(&k->import, record, origin);
    if (record->command_index + 1 == record->command_size)
        k->last = (struct kafka_place){record->sequence, record->id, origin->offset,
                                       origin->epoch, record->time};
    if (!kafka_import_is_full(&k->import)) return LL_OK;
    return kafka_import_flush(&k->import, err) == LL_OK ? LL_OK : err->rc;
}

static bool is_read(const struct takeover *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (kafka_feed_offset(t->feed, i) < t->taking[i].upto) return false;
    return true;
}

/* Read all up to `upto`, and take what counts. */
static ll_rc read_on(struct takeover *t, struct ll_error *err)
{
    struct kafka_feed_batch batch = {0};
    ll_rc rc = LL_OK;

    while (rc == LL_OK && (batch.count > 0 || !is_read(t))) {
        rc = relay_renew(t->relay, err);
        if (rc == LL_OK)
            rc = kafka_feed_next(t->feed, READ_EVENTS, READ_BYTES, is_read(t) ? 0 : 500,
                                 &batch, err);
        for (size_t i = 0; i < batch.count && rc == LL_OK; i++)
            rc = take_event(t, &batch.records[i], &batch.origins[i], err);
    }
    return rc;
}

/* ---- where to begin ---- */

static ll_rc open_feed(struct takeover *t, struct ll_error *err)
{
    struct kafka_feed_options options = {
        t->relay->options.settings, &t->topic->topic, "relay", fenced, t, true};
    struct kafka_feed_partition parts[TOPIC_PARTITIONS_MAX];
    ll_rc rc;

    kafka_feed_close(t->feed);
    t->feed = NULL;
    for (size_t i = 0; i < t->n; i++) {
        struct taking *k = &t->taking[i];

        parts[i] = (struct kafka_feed_partition){k->part->number, k->known.place};
        k->last = k->known.place;
    }
    rc = kafka_feed_open(&options, parts, t->n, &t->feed, err);
    for (size_t i = 0; i < t->n && rc == LL_OK; i++)
        t->taking[i].upto = kafka_feed_end(t->feed, i);
    return rc;
}

static ll_rc ask_places(struct takeover *t, struct ll_error *err)
{
    uint32_t numbers[TOPIC_PARTITIONS_MAX];
    uint64_t sequences[TOPIC_PARTITIONS_MAX];
    struct kafka_known known[TOPIC_PARTITIONS_MAX];
    ll_rc rc;

    for (size_t i = 0; i < t->n; i++) {
        numbers[i] = t->taking[i].part->number;
        sequences[i] = INT64_MAX;
    }
    rc = kafka_places_find(t->relay->writer, t->topic->topic.name, numbers, sequences,
                           t->n, known, err);
    for (size_t i = 0; i < t->n && rc == LL_OK; i++) t->taking[i].known = known[i];
    return rc;
}

/* The place before the one known, which Kafka does not have. */
static ll_rc step_back(struct takeover *t, struct taking *k, struct ll_error *err)
{
    uint64_t before = k->known.place.sequence - 1;

    if (k->lost.sequence == 0) k->lost = k->known.place;
    return kafka_places_find(t->relay->writer, t->topic->topic.name, &k->part->number,
                             &before, 1, &k->known, err);
}

/* Whether Kafka has the place's event, where it should be. */
static ll_rc try_place(struct takeover *t, const struct taking *k, struct ll_error *err)
{
    struct kafka_feed_options options = {
        t->relay->options.settings, &t->topic->topic, "relay", NULL, NULL, true};
    struct kafka_feed_partition part = {k->part->number, k->known.place};
    struct kafka_feed_batch batch;
    struct kafka_feed *feed;
    ll_rc rc = kafka_feed_open(&options, &part, 1, &feed, err);

    if (rc != LL_OK) return rc;
    while (rc == LL_OK && kafka_feed_offset(feed, 0) <= k->known.place.offset)
        rc = kafka_feed_next(feed, 1, 1, 1000, &batch, err);
    kafka_feed_close(feed);
    return rc;
}

/* Kafka does not have what was marked: it is shorter (a broker lost its newest records),
 * or another. Go back to what it has; what the reading then shows decides. */
static ll_rc go_back(struct takeover *t, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < t->n && rc == LL_OK; i++) {
        struct taking *k = &t->taking[i];

        while (k->known.place.sequence > 0 && (rc = try_place(t, k, err)) == LL_EBROKEN) {
            rc = step_back(t, k, err);
            if (rc != LL_OK) break;
        }
    }
    return rc;
}

static ll_rc begin_reading(struct takeover *t, struct ll_error *err)
{
    ll_rc rc = ask_places(t, err);

    if (rc == LL_OK) rc = open_feed(t, err);
    if (rc == LL_OK) rc = read_on(t, err);
    if (rc != LL_EBROKEN || t->is_lost) return rc;

    rc = go_back(t, err);
    for (size_t i = 0; i < t->n; i++) {
        builder_reset(&t->taking[i].import.rows);
        t->taking[i].import.events = 0;
    }
    if (rc == LL_OK) rc = open_feed(t, err);
    return rc == LL_OK ? read_on(t, err) : rc;
}

/* ---- the fence ---- */

static ll_rc claim(struct takeover *t, struct taking *k, struct ll_error *err)
{
    size_t index = (size_t)(k - t->taking);
    char id[16], seen[24], relay[UUID_TEXT];
    const char *const values[] = {id, seen, relay};
    PGresult *result;
    ll_rc rc;

    snprintf(id, sizeof(id), "%" PRId32, k->part->id);
    snprintf(seen, sizeof(seen), "%" PRIu64, kafka_feed_fence(t->feed, index)->epoch);
    uuid_print(&t->relay->id, relay);
    rc = pg_query(t->relay->writer, "select landlog.claim_epoch($1, $2, $3)", values, 3,
                  &result, err);
    if (rc != LL_OK) return rc;
    k->claim = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return LL_OK;
}

static ll_rc write_fence(struct takeover *t, struct taking *k, struct ll_error *err)
{
    struct relay *r = t->relay;
    int64_t now = clock_now_ms();
    ll_rc rc = claim(t, k, err);

    if (rc != LL_OK) return rc;
    k->part->next_offset = -1;
    kafka_write_fence(&r->headers, &r->id, &k->known.lineage, now, k->claim);
    while ((rc = relay_produce(r, k->part, (struct text){0}, (struct text){0}, now,
                               RELAY_FENCE_TAG, err)) == LL_EFULL)
        rd_kafka_poll(r->producer, 100);
    return rc;
}

/* The offset behind our fence. (Where a broker says only that it had the record already,
 * it does not say where.) */
static ll_rc find_fence(struct takeover *t, struct taking *k, struct ll_error *err)
{
    k->upto = k->part->next_offset;
    if (k->upto > 0) return LL_OK;
    return kafka_end(t->relay->producer, t->topic->name, k->part->number, &k->upto, err);
}

/* Until Kafka has acknowledged the fences. (rd_kafka_flush would hold up the leases.) */
static ll_rc wait_for_fences(struct takeover *t, struct ll_error *err)
{
    struct relay *r = t->relay;
    int64_t end = clock_monotonic_us() + FENCE_MS * INT64_C(1000);
    ll_rc rc = LL_OK;

    while (rc == LL_OK && r->failed == LL_OK && rd_kafka_outq_len(r->producer) > 0) {
        if (clock_monotonic_us() > end)
            return ll_fail(err, LL_EDATABASE,
                           "Kafka does not acknowledge the fence of %s",
                           t->topic->topic.name);
        rd_kafka_poll(r->producer, 100);
        rc = relay_renew(r, err);
    }
    if (rc != LL_OK || r->failed == LL_OK) return rc;
    if (err != NULL) *err = r->failure;
    return r->failed;
}

static ll_rc fence_all(struct takeover *t, struct ll_error *err)
{
    for (int round = 0; round < ROUNDS; round++) {
        bool is_done = true;
        ll_rc rc = LL_OK;

        for (size_t i = 0; i < t->n && rc == LL_OK; i++)
            if (!t->taking[i].is_fenced) rc = write_fence(t, &t->taking[i], err);
        if (rc == LL_OK) rc = wait_for_fences(t, err);
        for (size_t i = 0; i < t->n && rc == LL_OK; i++)
            rc = find_fence(t, &t->taking[i], err);
        if (rc == LL_OK) rc = read_on(t, err);
        if (rc != LL_OK) return rc;
        for (size_t i = 0; i < t->n; i++) is_done = is_done && t->taking[i].is_fenced;
        if (is_done) return LL_OK;
    }
    return ll_fail(err, LL_ECONFLICT, "another relay fences \"%s\" all the time",
                   t->topic->topic.name);
}

/* ---- the end of it ---- */

/* Kafka ends before the mark: rows that are still here can be sent again. */
static ll_rc check_shorter(struct takeover *t, struct taking *k, uint64_t on_kafka,
                           struct ll_error *err)
{
    struct relay *r = t->relay;
    char id[16], sequence[24];
    const char *const values[] = {id, sequence};
    PGresult *result;
    uint64_t first;
    ll_rc rc;

    snprintf(id, sizeof(id), "%" PRId32, k->part->id);
    snprintf(sequence, sizeof(sequence), "%" PRIu64, on_kafka);
    rc = pg_query(r->writer,
                  "select coalesce(min(sequence), 0) from landlog.event"
                  " where partition = $1 and sequence > $2",
                  values, 2, &result, err);
    if (rc != LL_OK) return rc;
    first = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    if (first != on_kafka + 1) {
        ll_fail(err, LL_EBROKEN,
                "Kafka ends at event %" PRIu64 ", Postgres had relayed up to %" PRIu64
                " and has rows from %" PRIu64 " on: what is between is lost",
                on_kafka, k->lost.sequence, first);
        return contradiction(k, err);
    }
    note(NOTE_WARNING, "kafka lost records: sending them again",
         NOTE_S("topic", t->topic->topic.name), NOTE_I("partition", k->part->number),
         NOTE_I("from", first), NOTE_I("relayed", k->lost.sequence));
    return pg_query(r->writer, "select landlog.forget_relayed($1, $2)", values, 2, NULL,
                    err);
}

static ll_rc open_gate(struct takeover *t, const struct taking *k, struct ll_error *err)
{
    char id[16], epoch[24];
    const char *const values[] = {id, epoch};
    PGresult *result;
    ll_rc rc;

    snprintf(id, sizeof(id), "%" PRId32, k->part->id);
    snprintf(epoch, sizeof(epoch), "%" PRIu64, k->claim);
    rc = pg_query(t->relay->writer, "select landlog.reconciled($1, $2)", values, 2,
                  &result, err);
    if (rc != LL_OK) return rc;
    if (PQgetvalue(result, 0, 0)[0] == 't')
        note(NOTE_INFO, "the gate is open", NOTE_S("service", t->topic->topic.service));
    PQclear(result);
    return LL_OK;
}

static ll_rc finish(struct takeover *t, struct taking *k, struct ll_error *err)
{
    size_t index = (size_t)(k - t->taking);
    const struct fence *f = kafka_feed_fence(t->feed, index);
    struct relay_part *p = k->part;
    ll_rc rc = kafka_import_flush(&k->import, err);

    if (rc == LL_EBROKEN) return contradiction(k, err);
    if (rc == LL_OK) rc = check_judged(t, k, f->sequence, err);
    if (rc == LL_OK && f->sequence < k->lost.sequence)
        rc = check_shorter(t, k, f->sequence, err);
    if (rc == LL_OK) rc = open_gate(t, k, err);
    if (rc != LL_OK) return rc;

    p->epoch = k->claim;
    p->sent = f->sequence;
    p->delivered = f->sequence;
    p->acknowledged = k->last;
    p->marked = k->last.sequence;
    p->last_kept = k->last.sequence;
    p->next_offset = kafka_feed_offset(t->feed, index);
    p->hole = -1;
    p->kept_count = 0;
    p->is_held = true;
    t->relay->progress.held++;
    t->relay->has_more = true;
    t->relay->progress.imported += k->import.added;
    note(NOTE_INFO, "relay took over", NOTE_S("topic", t->topic->topic.name),
         NOTE_I("partition", p->number), NOTE_I("epoch", p->epoch),
         NOTE_I("sequence", p->sent), NOTE_I("imported", k->import.added),
         NOTE_I("void", f->void_records));
    return LL_OK;
}

static ll_rc ask_postgres(struct takeover *t, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < t->n && rc == LL_OK; i++) {
        char id[16];
        const char *const values[] = {id};
        PGresult *result;

        snprintf(id, sizeof(id), "%" PRId32, t->taking[i].part->id);
        rc = pg_query(t->relay->writer,
                      "select coalesce((select max(sequence) from landlog.event"
                      "                  where partition = $1), 0),"
                      " exists (select from landlog.relayed where partition = $1"
                      "          and identity = landlog.identity())",
                      values, 1, &result, err);
        if (rc != LL_OK) break;
        t->taking[i].in_postgres = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        t->taking[i].is_ours = PQgetvalue(result, 0, 1)[0] == 't';
        PQclear(result);
    }
    return rc;
}

ll_rc relay_take_over(struct relay *r, struct relay_topic *topic,
                      struct relay_part *const *parts, size_t n, struct ll_error *err)
{
    struct takeover t = {.relay = r, .topic = topic, .n = n};
    int64_t horizon = clock_now_ms() - RELAY_DAYS_MS;
    ll_rc rc;

    t.taking = ll_calloc(n, sizeof(*t.taking));
    for (size_t i = 0; i < n; i++) {
        t.taking[i].part = parts[i];
        kafka_import_init(&t.taking[i].import, r->writer, parts[i]->id, horizon, false);
    }
    rc = ask_postgres(&t, err);
    if (rc == LL_OK) rc = begin_reading(&t, err);
    if (rc == LL_OK) rc = fence_all(&t, err);
    for (size_t i = 0; i < n && rc == LL_OK; i++) rc = finish(&t, &t.taking[i], err);
    for (size_t i = 0; i < n; i++) kafka_import_fini(&t.taking[i].import);
    kafka_feed_close(t.feed);
    free(t.taking);
    return rc;
}

/* ---- somebody else's records among ours ---- */

struct inspection {
    struct relay *relay;
    struct relay_part *part;
};

/* A higher fence is another relay's: of this database, which took the lease, or not. */
static ll_rc overtaken(void *context, size_t index, const struct kafka_envelope *fence,
                       struct ll_error *err)
{
    const struct inspection *x = context;
    const struct relay_part *p = x->part;
    const uint64_t last = INT64_MAX;
    struct kafka_known known;
    char text[UUID_TEXT];
    ll_rc rc;

    (void)index;
    if (fence->epoch <= p->epoch) return LL_OK;
    uuid_print(&fence->relay, text);
    rc = kafka_places_find(x->relay->writer, p->topic->topic.name, &p->number, &last, 1,
                           &known, err);
    if (rc != LL_OK) return rc;
    if (!kafka_is_foreign(&known, fence))
        return ll_fail(err, LL_ECONFLICT,
                       "%s/%u: relay %s has taken over with epoch %" PRIu64,
                       p->topic->topic.name, p->number, text, fence->epoch);
    rc = close_gate(x->relay, p->topic->topic.service, err);
    if (rc != LL_OK) return rc;
    return ll_fail(
        err, LL_EBROKEN,
        "%s/%u: relay %s of another database has taken over with epoch %" PRIu64
        ", ours is %" PRIu64,
        p->topic->topic.name, p->number, text, fence->epoch, p->epoch);
}

ll_rc relay_inspect(struct relay *r, struct relay_part *part, struct ll_error *err)
{
    struct inspection x = {r, part};
    struct kafka_feed_options options = {
        r->options.settings, &part->topic->topic, "relay", overtaken, &x, true};
    struct kafka_feed_partition from = {part->number, part->hole_from};
    int64_t upto = part->next_offset;
    struct kafka_feed_batch batch;
    struct kafka_feed *feed;
    ll_rc rc = kafka_feed_open(&options, &from, 1, &feed, err);

    if (rc != LL_OK) return rc;
    while (rc == LL_OK && kafka_feed_offset(feed, 0) < upto) {
        rc = kafka_feed_next(feed, READ_EVENTS, READ_BYTES, 500, &batch, err);
        if (rc == LL_OK) rc = relay_renew(r, err);
    }
    if (rc == LL_OK && kafka_feed_fence(feed, 0)->gap > 0) {
        fence_explain_gap(kafka_feed_fence(feed, 0), err);
        ll_error_prefix(err, "%s/%u on Kafka", part->topic->topic.name, part->number);
        rc = LL_ECONFLICT; /* the next take-over closes it */
    }
    if (rc == LL_OK) {
        note(NOTE_WARNING, "others write to a topic of the log: skipped",
             NOTE_S("topic", part->topic->topic.name), NOTE_I("partition", part->number),
             NOTE_I("records", kafka_feed_void_records(feed)),
             NOTE_I("offset", part->hole));
        part->hole = -1;
    }
    kafka_feed_close(feed);
    return rc;
}
