/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wake.c - see wake.h. Callers set a channel's bit and raise an eventfd; the thread takes
 * all bits at once. The bits are the only thing shared. */
#include "core/log/wake.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/pg/connect.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { RECONNECT_US = 1000000 };

static const char *const channels[] = {WAKE_APPENDED, WAKE_APPLIED, WAKE_GENERATION};

struct wake {
    pthread_t thread;
    int event;
    atomic_uint bits;
    atomic_bool ends;
    char *conninfo;
    PGconn *connection; /* the thread's */
    int64_t not_before; /* no other attempt to connect until then */
};

/* A lost notification costs its listener a poll; a late commit would cost everybody. */
static bool is_connected(struct wake *w)
{
    struct ll_error err;

    if (w->connection != NULL) return true;
    if (clock_monotonic_us() < w->not_before) return false;
    if (pg_connect(w->conninfo, "wake", &w->connection, &err) == LL_OK &&
        pg_script(w->connection, "set synchronous_commit = off", &err) == LL_OK)
        return true;
    note(NOTE_WARNING, "nobody is woken", NOTE_S("why", err.text));
    PQfinish(w->connection);
    w->connection = NULL;
    w->not_before = clock_monotonic_us() + RECONNECT_US;
    return false;
}

static void notify(struct wake *w, unsigned bits)
{
    struct builder sql;
    struct ll_error err;

    if (bits == 0 || !is_connected(w)) return;
    builder_init(&sql, 256);
    for (size_t i = 0; i < LL_LENGTH(channels); i++)
        if (bits & 1U << i) builder_printf(&sql, "notify %s;", channels[i]);
    if (pg_script(w->connection, builder_view(&sql).ptr, &err) != LL_OK) {
        note(NOTE_WARNING, "a wake-up was lost", NOTE_S("why", err.text));
        PQfinish(w->connection);
        w->connection = NULL;
    }
    builder_fini(&sql);
}

static void *run(void *argument)
{
    struct wake *w = argument;
    uint64_t count;
    bool ends = false;

    while (!ends) {
        if (read(w->event, &count, sizeof(count)) != (ssize_t)sizeof(count)) continue;
        ends = atomic_load(&w->ends);
        notify(w, atomic_exchange(&w->bits, 0));
    }
    PQfinish(w->connection);
    return NULL;
}

void wake_open(const char *conninfo, struct wake **out)
{
    struct wake *w = ll_calloc(1, sizeof(*w));
    sigset_t all, before;

    w->conninfo = ll_strdup(conninfo);
    w->event = eventfd(0, EFD_CLOEXEC);
    LL_CHECK(w->event >= 0);
    /* Signals are for the thread that was there first. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    LL_CHECK(pthread_create(&w->thread, NULL, run, w) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *out = w;
}

static void raise_event(struct wake *w)
{
    uint64_t one = 1;

    LL_CHECK(write(w->event, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

void wake_send(struct wake *w, const char *channel)
{
    for (size_t i = 0; i < LL_LENGTH(channels); i++) {
        if (strcmp(channel, channels[i]) != 0) continue;
        if (!(atomic_fetch_or(&w->bits, 1U << i) & 1U << i)) raise_event(w);
        return;
    }
    ll_panic(__FILE__, __LINE__, "no channel of wake.h");
}

void wake_close(struct wake *w)
{
    if (w == NULL) return;
    atomic_store(&w->ends, true);
    raise_event(w);
    pthread_join(w->thread, NULL);
    close(w->event);
    free(w->conninfo);
    free(w);
}
