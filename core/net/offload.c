/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* offload.c - a queue behind a lock; finished jobs come home through an eventfd. */
#include "core/net/offload.h"

#include "core/net/fiber.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    struct job *next;
    void (*run)(void *);
    void *argument;
    struct fiber *fiber;
    bool is_done;
};

struct offload {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct job *waiting, **waiting_tail, *done;
    size_t count;
    bool is_stopping;
    pthread_t *threads;
    size_t thread_count;
    int bell;
    struct event *heard;
};

static void *work(void *context)
{
    struct offload *o = context;

    pthread_mutex_lock(&o->lock);
    for (;;) {
        struct job *j = o->waiting;
        uint64_t one = 1;

        if (j == NULL) {
            if (o->is_stopping) break;
            pthread_cond_wait(&o->some, &o->lock);
            continue;
        }
        o->waiting = j->next;
        if (o->waiting == NULL) o->waiting_tail = &o->waiting;
        pthread_mutex_unlock(&o->lock);
        j->run(j->argument);
        pthread_mutex_lock(&o->lock);
        j->next = o->done;
        o->done = j;
        LL_CHECK(write(o->bell, &one, sizeof(one)) == sizeof(one));
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

static void come_home(evutil_socket_t fd, short what, void *context)
{
    struct offload *o = context;
    struct job *done;
    uint64_t rings;

    (void)what;
    if (read(fd, &rings, sizeof(rings)) < 0) return;
    pthread_mutex_lock(&o->lock);
    done = o->done;
    o->done = NULL;
    pthread_mutex_unlock(&o->lock);
    for (struct job *next; done != NULL; done = next) {
        next = done->next;
        o->count--;
        done->is_done = true;
        fiber_wake(done->fiber);
    }
}

struct offload *offload_new(struct event_base *base, size_t threads)
{
    struct offload *o = ll_calloc(1, sizeof(*o));
    sigset_t all, before;

    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->some, NULL);
    o->waiting_tail = &o->waiting;
    o->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    o->heard = event_new(base, o->bell, EV_READ | EV_PERSIST, come_home, o);
    LL_CHECK(o->bell >= 0 && o->heard != NULL && event_add(o->heard, NULL) == 0);
    o->threads = ll_calloc(threads, sizeof(*o->threads));
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (o->thread_count < threads)
        LL_CHECK(pthread_create(&o->threads[o->thread_count++], NULL, work, o) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return o;
}

void offload_free(struct offload *o)
{
    pthread_mutex_lock(&o->lock);
    o->is_stopping = true;
    pthread_cond_broadcast(&o->some);
    pthread_mutex_unlock(&o->lock);
    for (size_t i = 0; i < o->thread_count; i++) pthread_join(o->threads[i], NULL);
    event_free(o->heard);
    close(o->bell);
    pthread_cond_destroy(&o->some);
    pthread_mutex_destroy(&o->lock);
    free(o->threads);
    free(o);
}

ll_rc offload_run(struct offload *o, void (*run)(void *), void *argument)
{
    struct job j = {.run = run, .argument = argument, .fiber = fiber_self()};

    if (o->count == OFFLOAD_QUEUE) return LL_EFULL;
    o->count++;
    pthread_mutex_lock(&o->lock);
    *o->waiting_tail = &j;
    o->waiting_tail = &j.next;
    pthread_cond_signal(&o->some);
    pthread_mutex_unlock(&o->lock);
    while (!j.is_done) fiber_wait(-1);
    return LL_OK;
}
