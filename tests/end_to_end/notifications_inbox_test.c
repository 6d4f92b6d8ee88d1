/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_inbox_test.c - the inbox over HTTP, filled by the intake: who sees what,
 * what it is to read one, what its owner may choose, and what is said to those who ask
 * wrongly. */
#include "inbox.h"
#include "unit/t.h"

#include "core/base/uuid.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { READERS = 5, THREADS = 4, RACED = 24 };

static struct inbox b;
static struct person ana, ben, readers[READERS];

static long send_json(const struct person *who, const char *path, const char *body)
{
    return client_send(&b.client, &(struct client_request){.who = who,
                                                           .method = "POST",
                                                           .path = path,
                                                           .body = body,
                                                           .type = "application/json"});
}

/* ---- reading ---- */

/* Three of hers, from 1767607200000 on, a millisecond apart. */
static void fill(const struct person *who)
{
    char body[1024];
    size_t n = 0;

    for (int i = 0; i < 3; i++)
        n += (size_t)snprintf(
            body + n, sizeof(body) - n,
            "%c{\"type\":\"item_sold\",\"address\":\"%s\",\"eventKey\":\"sale%d\","
            "\"metadata\":{},\"timestamp\":176760720000%d}",
            i ? ',' : '[', who->address, i, i);
    snprintf(body + n, sizeof(body) - n, "]");
    OK(inbox_post(&b, body) == 204);
}

static void marking_as_read_counts_what_was_unread(void)
{
    json_t *items;
    const char *id;
    struct client_request q = {.who = &ana, .method = "PUT", .path = READ, .key = "once"};
    char body[256];

    fill(&ana);
    items = inbox_list(&b, &ana, INBOX);
    id = inbox_member(json_array_get(items, 0), "id");
    OK(inbox_mark(&b, &ben, id) == 200 && inbox_says(&b, "{\"updated\":0}"));
    snprintf(body, sizeof(body), "{\"notificationIds\":[\"%s\",\"%s\",\"%s\"]}", id, id,
             "00000000-0000-4000-8000-000000000000");
    q.body = body;
    OK(client_send(&b.client, &q) == 200 && inbox_says(&b, "{\"updated\":1}"));
    OK(inbox_mark(&b, &ana, id) == 200 && inbox_says(&b, "{\"updated\":0}"));
    OK(client_send(&b.client, &q) == 200 &&
       inbox_says(&b, "{\"updated\":1}")); /* the same request */
    OK(inbox_count(&b, &ana, INBOX "?onlyUnread=false") == 2);
    OK(inbox_count(&b, &ana, INBOX "?onlyUnread") == 2);
    OK(inbox_count(&b, &ana, INBOX "?limit=1") == 1);
    OK(inbox_count(&b, &ana, INBOX "?limit=0") == 3);
    OK(inbox_count(&b, &ana, INBOX "?from=1767607200002") == 1);
    OK(inbox_count(&b, &ana, INBOX "?from=1767607200001") == 2);
    OK(inbox_count(&b, &ana, INBOX "?from=-5") == 3 &&
       inbox_count(&b, &ana, INBOX "?from=x") == 3);
    json_decref(items);
}

/* ---- at once ---- */

static char raced_ids[RACED * (UUID_TEXT + 3)];

struct racer {
    pthread_t thread;
    size_t number, updated;
    bool is_answered;
};

/* All ids, in requests of its own. */
static void *mark_all(void *context)
{
    struct racer *racer = context;
    char body[sizeof(raced_ids) + 64], key[32];
    json_t *answer = NULL;
    struct client c;
    struct client_request q = {
        .who = &ben, .method = "PUT", .path = READ, .body = body, .key = key};

    client_init(&c, b.world.url);
    snprintf(body, sizeof(body), "{\"notificationIds\":[%s]}", raced_ids);
    snprintf(key, sizeof(key), "racer %zu", racer->number);
    if (client_send(&c, &q) == 200 &&
        json_parse(builder_view(&c.body), JSON_DEPTH, &answer, NULL) == LL_OK) {
        racer->is_answered = true;
        racer->updated = (size_t)json_integer_value(json_object_get(answer, "updated"));
    }
    json_decref(answer);
    client_fini(&c);
    return NULL;
}

static void of_many_at_once_each_is_counted_by_one(void)
{
    static struct racer racers[THREADS];
    char body[RACED * 200] = "[";
    size_t n = 1, updated = 0, ids = 0;
    json_t *items;

    for (int i = 0; i < RACED; i++)
        n += (size_t)snprintf(
            body + n, sizeof(body) - n,
            "%s{\"type\":\"item_sold\",\"address\":\"%s\",\"eventKey\":\"race%d\","
            "\"metadata\":{},\"timestamp\":1767607200000}%s",
            i ? "," : "", ben.address, i, i == RACED - 1 ? "]" : "");
    OK(inbox_post(&b, body) == 204);
    items = inbox_list(&b, &ben, INBOX "?limit=50");
    OK(json_array_size(items) == RACED);
    for (size_t i = 0; i < json_array_size(items); i++)
        ids +=
            (size_t)snprintf(raced_ids + ids, sizeof(raced_ids) - ids, "%s\"%s\"",
                             i ? "," : "", inbox_member(json_array_get(items, i), "id"));
    json_decref(items);
    for (size_t i = 0; i < THREADS; i++) {
        racers[i].number = i;
        LL_CHECK(pthread_create(&racers[i].thread, NULL, mark_all, &racers[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(racers[i].thread, NULL);
        OK(racers[i].is_answered);
        updated += racers[i].updated;
    }
    OK(updated == RACED);
    OK(inbox_count(&b, &ben, INBOX "?onlyUnread") == 0);
}

/* ---- for everybody, and again ---- */

/* Read by one, it is read for that one, and is there once for each. */
static void a_broadcast_is_read_by_each_alone(void)
{
    char id[UUID_TEXT];
    json_t *items;

    OK(inbox_post(
           &b,
           "[{\"type\":\"governance_announcement\",\"eventKey\":\"season\",\"metadata\":"
           "{\"title\":\"Season\"},\"timestamp\":1767607200000}]") == 204);
    items = inbox_list(&b, &readers[0], INBOX);
    OK(json_array_size(items) == 1);
    OK(json_is_null(json_object_get(json_array_get(items, 0), "address")));
    snprintf(id, sizeof(id), "%s", inbox_member(json_array_get(items, 0), "id"));
    json_decref(items);
    for (size_t i = 0; i < READERS - 1; i++)
        OK(inbox_mark(&b, &readers[i], id) == 200 && inbox_says(&b, "{\"updated\":1}"));
    OK(inbox_mark(&b, &readers[0], id) == 200 && inbox_says(&b, "{\"updated\":0}"));
    for (size_t i = 0; i < READERS; i++) {
        items = inbox_list(&b, &readers[i], INBOX);
        OK(json_array_size(items) == 1);
        OK(json_is_true(json_object_get(json_array_get(items, 0), "read")) ==
           (i < READERS - 1));
        json_decref(items);
    }
    OK(inbox_count(&b, &readers[0], INBOX "?onlyUnread=1") == 0);
    OK(inbox_count(&b, &readers[READERS - 1], INBOX "?onlyUnread=1") == 1);
    OK(inbox_count(&b, &readers[READERS - 1], INBOX "?onlyUnread=1&from=1767607200001") ==
       0);
}

/* The same key, type and recipient: the same notification, as it was told last. */
static void what_is_told_again_is_updated(void)
{
    static const char *const told[] = {"{\"a\":1}", "{\"a\":1}", "{\"b\":2}"};
    char body[512], id[UUID_TEXT] = "";

    for (size_t i = 0; i < LL_LENGTH(told); i++) {
        json_t *items;

        snprintf(body, sizeof(body),
                 "[{\"type\":\"item_published\",\"address\":\"%s\",\"eventKey\":\"k\","
                 "\"metadata\":%s,\"timestamp\":%d}]",
                 readers[0].address, told[i], 1767607201);
        OK(inbox_post(&b, body) == 400); /* before 2023 */
        snprintf(body, sizeof(body),
                 "[{\"type\":\"item_published\",\"address\":\"%s\",\"eventKey\":\"k\","
                 "\"metadata\":%s,\"timestamp\":176760720100%zu}]",
                 readers[0].address, told[i], i / 2);
        OK(inbox_post(&b, body) == 204);
        items = inbox_list(&b, &readers[0], INBOX);
        OK(json_array_size(items) == 2);
        if (i == 0)
            snprintf(id, sizeof(id), "%s", inbox_member(json_array_get(items, 0), "id"));
        OK(strcmp(inbox_member(json_array_get(items, 0), "id"), id) == 0);
        OK(json_is_true(json_object_get(json_array_get(items, 0), "read")) == (i > 0));
        json_decref(items);
        if (i == 0)
            OK(inbox_mark(&b, &readers[0], id) == 200 &&
               inbox_says(&b, "{\"updated\":1}"));
    }
    OK(inbox_ask(&b, &readers[0], "GET", INBOX, NULL) == 200 &&
       inbox_says(&b, "{\"b\":2}"));
}

/* Numbers that are no integers of 64 bits, and whatever else is JSON, come back. */
static void metadata_comes_back_as_it_was_told(void)
{
    static const char metadata[] = "{\"z\":1e+30,\"a\":[0.5,-0,{\"\":null}],\"text\":"
                                   "\"\\u0001\\\\ \xf0\x9f\x98\x80\"}";
    char body[512];

    snprintf(body, sizeof(body),
             "[{\"type\":\"item_published\",\"address\":\"%s\",\"eventKey\":\"letter\","
             "\"metadata\":%s,\"timestamp\":1767607209999}]",
             readers[1].address, metadata);
    for (int i = 0; i < 2; i++) {
        json_t *sent, *items;

        OK(inbox_post(&b, body) == 204); /* the second reads what the first told */
        items = inbox_list(&b, &readers[1], INBOX "?limit=1");
        LL_CHECK(json_parse(text_of(metadata), JSON_DEPTH, &sent, NULL) == LL_OK);
        OK(json_equal(json_object_get(json_array_get(items, 0), "metadata"), sent));
        json_decref(sent);
        json_decref(items);
    }
}

static void metadata_has_a_limit(void)
{
    enum { LONG = 70 * 1024 };
    char *body = malloc(LONG + 256);
    int n = snprintf(body, 256,
                     "[{\"type\":\"item_sold\",\"eventKey\":\"l\",\"timestamp\":"
                     "1767607200000,\"metadata\":{\"a\":\"");

    LL_CHECK(n > 0);
    memset(body + n, 'x', LONG);
    memcpy(body + n + LONG, "\"}}]", 5);
    OK(inbox_post(&b, body) == 400 && inbox_says(&b, "is longer than 64 KiB"));
    free(body);
}

/* ---- choosing ---- */

static void a_subscription_is_kept(void)
{
    json_t *body, *details;
    char *changed;

    OK(inbox_ask(&b, &ana, "GET", CHOICE, NULL) == 200);
    body = inbox_json(&b);
    details = json_object_get(body, "details");
    OK(inbox_ask(&b, &ana, "PUT", CHOICE, "{}") == 400);
    OK(inbox_says(
        &b,
        "Missing required fields: ignore_all_email, ignore_all_in_app, message_type"));
    json_object_set_new(details, "ignore_all_email", json_true());
    changed = json_dumps(details, JSON_COMPACT);
    OK(inbox_ask(&b, &ana, "PUT", CHOICE, changed) == 204 &&
       strlen(inbox_answer(&b)) == 0);
    OK(inbox_ask(&b, &ana, "PUT", CHOICE, changed) == 204); /* it is so already */
    OK(inbox_ask(&b, &ana, "GET", CHOICE, NULL) == 200 &&
       inbox_says(&b, "{\"ignore_all_email\":true,"));
    OK(inbox_ask(&b, &ben, "GET", CHOICE, NULL) == 200 &&
       inbox_says(&b, "{\"ignore_all_email\":false,"));
    free(changed);
    json_decref(body);
}

static void opt_outs_come_and_go(void)
{
    const char *one = OPT_OUTS "/community/a%20b";

    OK(inbox_ask(&b, &ana, "GET", one, NULL) == 200 &&
       inbox_says(&b, "\"optedOut\":false"));
    OK(inbox_ask(&b, &ana, "POST", OPT_OUTS, "{}") == 415 &&
       inbox_says(&b, "must be application/json"));
    for (int i = 0; i < 2; i++) {
        OK(send_json(&ana, OPT_OUTS, "{\"scope\":\"community\",\"scopeId\":\"a b\"}") ==
           201);
        OK(inbox_says(&b,
                      "{\"scope\":\"community\",\"scopeId\":\"a b\",\"optedOut\":true}"));
    }
    OK(inbox_ask(&b, &ana, "GET", one, NULL) == 200 &&
       inbox_says(&b, "\"optedOut\":true"));
    OK(inbox_ask(&b, &ben, "GET", one, NULL) == 200 &&
       inbox_says(&b, "\"optedOut\":false"));
    for (int i = 0; i < 2; i++) OK(inbox_ask(&b, &ana, "DELETE", one, NULL) == 204);
    OK(inbox_ask(&b, &ana, "GET", one, NULL) == 200 &&
       inbox_says(&b, "\"optedOut\":false"));
    OK(inbox_ask(&b, &ana, "GET", OPT_OUTS "/land/1", NULL) == 400);
    OK(send_json(&ana, OPT_OUTS, "{\"scope\":\"land\",\"scopeId\":\"1\"}") == 400);
    OK(inbox_says(&b, "\"ok\":false") && inbox_says(&b, "Invalid JSON body"));
    OK(send_json(&ana, OPT_OUTS, "{\"scope\":\"community\"}") == 400);
    OK(send_json(&ana, OPT_OUTS, "{") == 400 && inbox_says(&b, "\"ok\":false"));
}

/* ---- asking wrongly ---- */

/* A read with this metadata, signed so long ago. */
static long ask_with(const char *metadata, int minutes_ago)
{
    return client_send(&b.client,
                       &(struct client_request){.who = &ana,
                                                .method = "GET",
                                                .path = INBOX,
                                                .metadata = metadata,
                                                .skew_ms = -minutes_ago * 60 * 1000});
}

static void only_who_may_is_answered(void)
{
    OK(inbox_ask(&b, NULL, "GET", INBOX, NULL) == 400 &&
       inbox_says(&b, "{\"error\":\"Invalid Auth Chain\""));
    OK(ask_with("{\"signer\":\"decentraland-kernel-scene\"}", 0) == 400);
    OK(inbox_says(&b, "Invalid metadata content"));
    OK(ask_with("{}", 6) == 401 && inbox_says(&b, "Expired signature"));
    OK(inbox_says(&b, "This endpoint requires a signed fetch request. See ADR-44."));
    OK(ask_with("{\"signer\":\"dcl:navbar\"}", 4) == 200);
    OK(inbox_ask(&b, NULL, "POST", INBOX, "[]") == 401);
    OK(inbox_says(&b,
                  "{\"error\":\"Not Authorized\",\"message\":\"Authorization header is "
                  "missing\"}"));
    OK(client_send(&b.client, &(struct client_request){.method = "POST",
                                                       .path = INBOX,
                                                       .body = "[]",
                                                       .bearer = "guess"}) == 401);
}

/* As decentraland-dapps sends it: the body's ids in the metadata, in mixed case. */
static void the_older_signature_is_taken(void)
{
    static const char body[] =
        "{\"notificationIds\":[\"00000000-0000-4000-8000-000000000000\"]}";
    struct client_request q = {
        .who = &ana,
        .method = "PUT",
        .path = READ,
        .body = body,
        .metadata =
            "{\"notificationIds\":[\"00000000-0000-4000-8000-000000000000\"],"
            "\"signer\":\"dcl:navbar\",\"intent\":\"dcl:navbar:read-notifications\"}",
        .is_legacy = true};

    OK(client_send(&b.client, &q) == 200 && inbox_says(&b, "{\"updated\":0}"));
    q.is_legacy = false;
    OK(client_send(&b.client, &q) == 200);
    q.is_legacy = true; /* it binds no case, so keys that are read must be exact */
    q.metadata = "{\"Signer\":\"dcl:navbar\"}";
    OK(client_send(&b.client, &q) == 400);
    q.metadata = "{\"signer\":\"Decentraland-Kernel-Scene\"}";
    OK(client_send(&b.client, &q) == 400);
}

static void a_wrong_request_changes_nothing(void)
{
    static const struct {
        const char *method, *path, *body;
        long status;
        const char *says;
    } cases[] = {
        {"PUT", READ, "{\"notificationIds\":[]}", 400, "Missing notificationIds"},
        {"PUT", READ, "{\"notificationIds\":\"x\"}", 400, "Missing notificationIds"},
        {"PUT", READ, "[]", 400, "Missing notificationIds"},
        {"PUT", READ, "", 400, "Invalid body"},
        {"PUT", READ, "{\"notificationIds\":[\"x\"]}", 400, "must be UUIDs"},
        {"PUT", READ, "{\"notificationIds\":[[1]]}", 400, "must be UUIDs"},
        {"PUT", READ, "{\"notificationIds\":[\"{},{}\"]}", 400, "must be UUIDs"},
        {"PUT", READ, "{\"a\":\"\\u0000\"}", 400, "Invalid body"},
        {"PUT", CHOICE, "nonsense", 400, "Invalid body"},
        {"PUT", CHOICE, "null", 400, "must be object"},
        {"PATCH", INBOX, NULL, 405, ""},
        {"GET", "/notifications/nowhere", NULL, 404, "Not found"},
        {"GET", OPT_OUTS "/community/%00", NULL, 400, "Bad request"},
    };
    char *before = world_query(&b.world, "select count(*) from landlog.event"), *after;

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        OK(inbox_ask(&b, &ana, cases[i].method, cases[i].path, cases[i].body) ==
           cases[i].status);
        OK(inbox_says(&b, cases[i].says));
    }
    OK(inbox_post(&b, "{") == 400 && inbox_says(&b, "Invalid body"));
    OK(inbox_post(&b, "[{\"type\":\"item_sold\"}]") == 400 && inbox_says(&b, "eventKey"));
    OK(inbox_post(&b, "[]") == 204);
    after = world_query(&b.world, "select count(*) from landlog.event");
    OK(strcmp(before, after) == 0);
    free(before);
    free(after);
}

int main(void)
{
    if (!inbox_start(&b, "notifications_inbox")) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    person_new(&ana);
    person_new(&ben);
    for (size_t i = 0; i < READERS; i++) person_new(&readers[i]);
    RUN(marking_as_read_counts_what_was_unread);
    RUN(of_many_at_once_each_is_counted_by_one);
    RUN(a_broadcast_is_read_by_each_alone);
    RUN(what_is_told_again_is_updated);
    RUN(metadata_comes_back_as_it_was_told);
    RUN(metadata_has_a_limit);
    RUN(a_subscription_is_kept);
    RUN(opt_outs_come_and_go);
    RUN(only_who_may_is_answered);
    RUN(the_older_signature_is_taken);
    RUN(a_wrong_request_changes_nothing);
    OK(inbox_stop(&b) == 0);
    return t_done();
}
