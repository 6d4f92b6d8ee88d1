/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* inbox_bench.c - a page of 50 notifications: the whole system, each request signed by
 * its own person, against the same query asked by plain libpq on as many connections as
 * keep Postgres busy. No HTTP and no signatures there: what Postgres can give at most. */
#include "client.h"
#include "core/base/clock.h"
#include "figure.h"
#include "http_load.h"
#include "query_baseline.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEOPLE = 64, EACH = 100, REQUESTS = 4096, SECONDS = 3, ROUNDS = 3 };
#define INBOX "/notifications/notifications"

static struct person people[PEOPLE];
static struct text signed_requests[REQUESTS];

/* ---- the inboxes ---- */

static void fill(const struct world *w)
{
    char path[700];
    FILE *f;

    snprintf(path, sizeof(path), "%s/notifications.jsonl", w->folder);
    f = fopen(path, "we");
    if (f == NULL) world_fail("cannot write %s", path);
    for (int i = 0; i < PEOPLE * EACH; i++)
        fprintf(f,
                "{\"id\":\"00000000-0000-8000-8000-%012x\",\"inbox\":\"%s\",\"eventKey\":"
                "\"tip-%d\",\"type\":\"tip_received\",\"address\":\"%s\",\"metadata\":{"
                "\"senderAddress\":\"%s\",\"receiverAddress\":\"%s\",\"amount\":\"1.5\","
                "\"manaAmount\":\"1500000000000000000\"},\"timestamp\":%lld}\n",
                i, people[i % PEOPLE].address, i, people[i % PEOPLE].address,
                people[(i + 1) % PEOPLE].address, people[i % PEOPLE].address,
                1767571200000LL + i);
    fclose(f);
    if (world_run(w, "publish", "notifications.notification-created", path, NULL) != 0)
        world_fail("cannot publish; see %s/command.log", w->folder);
}

/* Until the last ones are in everybody's inbox. */
static void wait_filled(const struct world *w)
{
    struct client c;
    size_t full = 0;

    client_init(&c, w->url);
    for (int i = 0; full < PEOPLE && i < 3000; i++) {
        struct client_request q = {
            .who = &people[full], .method = "GET", .path = INBOX "?limit=1&from=0"};
        char last[64];

        snprintf(last, sizeof(last), "\"%lld\"",
                 1767571200000LL + (long long)(PEOPLE * (EACH - 1) + full));
        if (client_send(&c, &q) == 200 && strstr(builder_view(&c.body).ptr, last) != NULL)
            full++;
        else
            usleep(20000);
    }
    client_fini(&c);
    if (full < PEOPLE) world_fail("the inboxes are not full");
}

/* ---- the requests ---- */

static void add_header(void *context, const char *name, struct text value)
{
    builder_printf(context, "%s: %.*s\r\n", name, TEXT_ARGS(value));
}

/* Each with a time of its own, so that no two are alike. */
static void sign_all(int64_t now)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        struct builder b;

        builder_init(&b, 8192);
        builder_string(&b, "GET " INBOX " HTTP/1.1\r\nHost: localhost\r\n");
        identity_sign_request(&people[i % PEOPLE].identity, TEXT("GET"), TEXT(INBOX),
                              now + (int64_t)i, TEXT("{}"), add_header, &b);
        builder_string(&b, "\r\n");
        signed_requests[i] = text_of(builder_take(&b));
    }
}

/* ---- the baseline ---- */

static double measure_libpq(const struct world *w)
{
    static const char *values[PEOPLE][4];
    struct query_baseline b = {w,         "notifications", "inbox", 4,
                               values[0], PEOPLE,          SECONDS};

    for (size_t i = 0; i < PEOPLE; i++) {
        values[i][0] = people[i].address;
        values[i][1] = "0";
        values[i][2] = "f";
        values[i][3] = "50";
    }
    return query_baseline_run(&b);
}

/* ---- the measured ---- */

static double measure_ours(const struct world *w, double *p99)
{
    struct http_load load = {(int)strtol(strrchr(w->url, ':') + 1, NULL, 10), 64, SECONDS,
                             signed_requests, REQUESTS};
    struct http_load_result result;
    struct ll_error err;

    if (http_load_run(&load, &result, &err) != LL_OK) world_fail("%s", err.text);
    if (result.refused > 0)
        world_fail("%llu requests were refused", (unsigned long long)result.refused);
    *p99 = result.p99_us / 1000;
    return result.per_second;
}

int main(void)
{
    struct world w;
    double ours = 0, bare = 0, p99 = 0;

    if (!world_prepare(&w, "bench_inbox", false)) return 77;
    for (size_t i = 0; i < PEOPLE; i++) person_new(&people[i]);
    world_up(&w);
    fill(&w);
    wait_filled(&w);
    sign_all(clock_now_ms());
    for (int i = 0; i < ROUNDS; i++) { /* in turn, since others may be at work here */
        double its_p99, rate = measure_ours(&w, &its_p99), plain = measure_libpq(&w);

        if (rate > ours) ours = rate, p99 = its_p99;
        if (plain > bare) bare = plain;
    }
    figure_ratio("inbox: a signed list of 50, against the query alone", ours,
                 "requests/s", bare, 0.5);
    figure_value("inbox: p99 of it, 64 connections", p99, "ms");
    world_stop(&w);
    return 0;
}
