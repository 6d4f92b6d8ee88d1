/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* doings.c - see doings.h. */
#include "doings.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "deployer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS = 400, BATCH = 5, MARK_MOST = 8, SETTLE_TRIES = 1200 };
#define INBOX "/notifications/notifications"
enum { PARCELS = 60, PROFILE_NAMES = 1000 };

struct doer {
    struct doings *doings;
    struct client client;
    unsigned seed;
    size_t number; /* of the next request */
};

static unsigned dice(struct doer *d, unsigned sides)
{
    return (unsigned)rand_r(&d->seed) % sides;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static bool is_settled(long status)
{
    return status != 0 && status != 409 && status < 500;
}

/* Until it is answered for good: processes are killed meanwhile. */
static long settle(struct doer *d, const struct client_request *q)
{
    for (int i = 0; i < 600; i++) {
        long status = client_send(&d->client, q);

        if (is_settled(status)) return status;
        pause_ms(100);
    }
    world_fail("not settled in a minute: %s %s", q->path, q->body != NULL ? q->body : "");
}

/* ---- what a platform tells ---- */

/* The event of this key, always the same. */
static void write_event(const struct doings *d, unsigned key, struct builder *b)
{
    const char *who = d->people[key % d->people_count].address;
    const char *other = d->people[(key / 7 + 1) % d->people_count].address;

    builder_printf(b, "{\"source\":\"test\",\"key\":\"k%u\",\"timestamp\":%lld,", key,
                   1767571200000LL + key * 60000LL);
    switch (key % 6) {
    case 0:
        builder_printf(b,
                       "\"type\":\"client\",\"subType\":\"move-to-parcel\",\"metadata\":{"
                       "\"userAddress\":\"%s\",\"parcel\":{\"oldParcel\":\"0,0\","
                       "\"newParcel\":\"%u,1\"}}}",
                       who, key);
        return;
    case 1:
        builder_printf(b,
                       "\"type\":\"client\",\"subType\":\"walked-distance\",\"metadata\":"
                       "{\"userAddress\":\"%s\",\"stepCount\":%u}}",
                       who, key * 100);
        return;
    case 2:
        builder_printf(b,
                       "\"type\":\"client\",\"subType\":\"used-emote\",\"metadata\":"
                       "{\"userAddress\":\"%s\"}}",
                       who);
        return;
    case 3:
        builder_printf(b,
                       "\"type\":\"client\",\"subType\":\"passport-opened\",\"metadata\":"
                       "{\"userAddress\":\"%s\",\"passport\":{\"receiver\":\"%s\"}}}",
                       who, other);
        return;
    case 4:
        builder_printf(b,
                       "\"type\":\"client\",\"subType\":\"vertical-height-reached\","
                       "\"metadata\":{\"userAddress\":\"%s\",\"height\":%u.5}}",
                       who, key * 3);
        return;
    default:
        builder_printf(
            b,
            "\"type\":\"blockchain\",\"subType\":\"tip-received\",\"metadata\":"
            "{\"senderAddress\":\"%s\",\"receiverAddress\":\"%s\",\"amount\":"
            "\"%u.25\"}}",
            other, who, key);
    }
}

static size_t occurrences(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) n++;
    return n;
}

static void tell(struct doer *d)
{
    struct client_request q = {
        .method = "POST", .path = "/events", .bearer = DOINGS_TOKEN};
    unsigned wrong = dice(d, 12), count = 1 + dice(d, BATCH);
    struct builder b;
    const char *answer;
    long status;

    builder_init(&b, 64 * 1024);
    builder_char(&b, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) builder_char(&b, ',');
        write_event(d->doings, dice(d, KEYS), &b);
    }
    if (wrong == 0) builder_string(&b, ",{\"type\":\"client\"}");
    if (wrong == 1) q.bearer = "of-somebody-else";
    builder_char(&b, ']');
    q.body = builder_view(&b).ptr;
    status = settle(d, &q);
    answer = builder_view(&d->client.body).ptr;
    if (status != (wrong == 0 ? 400 : wrong == 1 ? 401 : 200))
        world_fail("POST /events: %ld %s\n%s", status, answer, q.body);
    if (status != 200) d->doings->refused++;
    d->doings->told += occurrences(answer, "\"accepted\"");
    d->doings->repeated += occurrences(answer, "\"repeated\"");
    builder_fini(&b);
}

/* ---- what its owner does with an inbox ---- */

/* The ids of some that are unread, as a request's body; how many. */
static size_t write_marks(struct doer *d, const json_t *items, struct builder *b)
{
    const json_t *item;
    size_t i, n = 0;

    builder_string(b, "{\"notificationIds\":[");
    json_array_foreach(items, i, item)
    {
        const char *id = json_string_value(json_object_get(item, "id"));

        if (n == MARK_MOST || dice(d, 2) == 0 || id == NULL) continue;
        builder_printf(b, "%s\"%s\"", n++ > 0 ? "," : "", id);
    }
    builder_string(b, "]}");
    return n;
}

static void read_some(struct doer *d)
{
    const struct person *who =
        &d->doings->people[dice(d, (unsigned)d->doings->people_count)];
    struct client_request list = {
        .who = who, .method = "GET", .path = INBOX "?onlyUnread=true"};
    struct client_request mark = {.who = who, .method = "PUT", .path = INBOX "/read"};
    struct builder b;
    char key[64];
    json_t *body;

    if (settle(d, &list) != 200) world_fail("no inbox");
    if (json_parse(builder_view(&d->client.body), JSON_DEPTH, &body, NULL) != LL_OK)
        world_fail("not JSON: %s", builder_view(&d->client.body).ptr);
    builder_init(&b, 8192);
    if (write_marks(d, json_object_get(body, "notifications"), &b) > 0) {
        snprintf(key, sizeof(key), "mark-%zu", d->number);
        mark.body = builder_view(&b).ptr;
        mark.key = key;
        if (settle(d, &mark) != 200) world_fail("not marked: %s", mark.body);
        d->doings->marked++;
    }
    builder_fini(&b);
    json_decref(body);
}

/* ---- what people deploy ---- */

static void remember(struct doings *d, const struct deployable *e)
{
    struct doings_entity *out = &d->entities[d->entity_count];

    if (d->entity_count == DOINGS_ENTITIES) return;
    snprintf(out->id, sizeof(out->id), "%s", e->id);
    snprintf(out->pointer, sizeof(out->pointer), "%.63s", e->pointer);
    out->type = e->type;
    d->entity_count++;
}

/* A profile, or a scene on one of a few parcels, so that many are overwritten. Now and
 * then with a file that is not the one it was signed for. */
static void deploy(struct doer *d)
{
    const struct person *who =
        &d->doings->people[dice(d, (unsigned)d->doings->people_count)];
    bool is_profile = dice(d, 2) == 0, is_wrong = dice(d, 10) == 0;
    struct deployable e;
    long status = 0;

    deployable_make(&e, is_profile ? "profile" : "scene", who, clock_now_ms(),
                    (int)dice(d, is_profile ? PROFILE_NAMES : PARCELS));
    if (is_wrong) builder_char(&e.file, ' ');
    for (int i = 0; i < 600 && !is_settled(status); i++) {
        if (i > 0) pause_ms(100);
        status = deployable_send(&d->client, &e);
    }
    if (status != 200 && status != 400)
        world_fail("POST /content/entities: %ld %s", status,
                   builder_view(&d->client.body).ptr);
    if (is_wrong && status != 400) world_fail("a wrong file was taken");
    if (status == 200)
        remember(d->doings, &e);
    else
        d->doings->refused++;
    deployable_fini(&e);
}

void doings_run(struct doings *d)
{
    struct doer doer = {.doings = d, .seed = d->seed};

    client_init(&doer.client, d->world->url);
    for (; doer.number < d->requests; doer.number++) {
        tell(&doer);
        if (dice(&doer, 4) == 0) read_some(&doer);
        if (dice(&doer, 3) == 0) deploy(&doer);
    }
    client_fini(&doer.client);
}

void doings_allow(const struct world *w)
{
    FILE *f = fopen(w->config, "ae");

    if (f == NULL) world_fail("cannot write %s", w->config);
    fprintf(f, "service.platform.token = " DOINGS_TOKEN "\n"
               "service.content.rate-limit-ttl-scene = 0\n"
               "service.content.rate-limit-ttl-profile = 0\n");
    fclose(f);
}

/* ---- afterwards ---- */

/* Partitions that some live generation has not all of, and rows that are to be emitted.
 */
static long left(const struct world *w)
{
    static const char sql[] =
        "select (select count(*) from landlog.partition p, lateral"
        "  (select max(sequence) as last from landlog.event e where e.partition = p.id) e"
        "  where e.last > landlog.applied(p.id))"
        " + (select coalesce(sum((xpath('//n/text()', query_to_xml(format("
        "   'select count(*) as n from %I.outgoing where due <= extract(epoch from now())"
        " * 1000', g.schema), false, true, '')))[1]::text::bigint), 0)"
        "  from landlog.generation g where g.state = 'live'"
        "  and to_regclass(format('%I.outgoing', g.schema)) is not null)";
    char *value = world_query(w, sql);
    long n = strtol(value, NULL, 10);

    free(value);
    return n;
}

/* Twice in a row, since what is emitted is to be applied again. */
void doings_settle(const struct world *w)
{
    int settled = 0;

    for (int i = 0; i < SETTLE_TRIES && settled < 3; i++) {
        settled = left(w) == 0 ? settled + 1 : 0;
        pause_ms(100);
    }
    if (settled < 3) world_fail("reactors or read models do not settle");
}

/* A page each from the beginning, and from somewhere within. */
static void ask_history(struct client *c, struct answers *a)
{
    static const char *const paths[] = {
        "/content/deployments?limit=20&fields=pointers,content,metadata,auditInfo",
        "/content/deployments?limit=7&offset=11&sortingOrder=ASC",
        "/content/deployments?onlyCurrentlyPointed=true&entityType=scene",
        "/content/pointer-changes",
        "/content/pointer-changes?limit=5&sortingOrder=ASC&sortingField=local_timestamp",
        "/content/pointer-changes?limit=9&offset=30&entityType=profile"};

    for (size_t i = 0; i < LL_LENGTH(paths); i++) answers_ask(a, c, NULL, paths[i], NULL);
}

static void ask_entities(const struct doings *d, struct client *c, struct answers *a)
{
    char text[256];

    ask_history(c, a);
    for (size_t i = 0; i < d->entity_count; i++) {
        const struct doings_entity *e = &d->entities[i];

        snprintf(text, sizeof(text), "{\"pointers\":[\"%s\"]}", e->pointer);
        answers_ask(a, c, NULL, "/content/entities/active", text);
        snprintf(text, sizeof(text), "{\"ids\":[\"%s\"]}", e->id);
        answers_ask(a, c, NULL, "/content/entities/active", text);
        snprintf(text, sizeof(text), "/content/audit/%s/%s", e->type, e->id);
        answers_ask(a, c, NULL, text, NULL);
        snprintf(text, sizeof(text), "/content/contents/%s", e->id);
        answers_ask(a, c, NULL, text, NULL);
    }
    for (size_t i = 0; i < d->people_count; i++) {
        snprintf(text, sizeof(text), "{\"ids\":[\"%s\"]}", d->people[i].address);
        answers_ask(a, c, NULL, "/lambdas/profiles", text);
    }
}

void doings_ask(const struct doings *d, struct client *c, struct answers *a)
{
    static const char *const signed_paths[] = {
        INBOX, INBOX "?onlyUnread=true", INBOX "?limit=3", "/notifications/subscription"};
    static const char *const open_paths[] = {"/badges/badges", "/badges/categories",
                                             "/badges/badges/walkabout_wanderer/tiers",
                                             "/platform/events"};
    static const char *const of_people[] = {
        "/badges/users/%s/badges", "/badges/users/%s/badges?includeNotAchieved=true",
        "/badges/users/%s/preview"};
    char path[256];

    for (size_t k = 0; k < LL_LENGTH(open_paths); k++)
        answers_ask(a, c, NULL, open_paths[k], NULL);
    for (size_t i = 0; i < d->people_count; i++) {
        for (size_t k = 0; k < LL_LENGTH(signed_paths); k++)
            answers_ask(a, c, &d->people[i], signed_paths[k], NULL);
        for (size_t k = 0; k < LL_LENGTH(of_people); k++) {
            const char *at = strstr(of_people[k], "%s");

            snprintf(path, sizeof(path), "%.*s%s%s", (int)(at - of_people[k]),
                     of_people[k], d->people[i].address, at + 2);
            answers_ask(a, c, NULL, path, NULL);
        }
    }
    ask_entities(d, c, a);
}
