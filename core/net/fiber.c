/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fiber.c - ucontext stacks in a pool; see fiber.h.
 *
 * A fiber is in exactly one of these states: free (in the pool), running, waiting, or
 * ready (woken, in the pool's list until the loop gets to it).
 */
#include "core/net/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK = 256 * 1024, KEPT = 256 };

struct fiber {
    ucontext_t context;
    char *map; /* guard page, then the stack */
    void (*body)(void *);
    void *argument;
    struct fiber_pool *pool;
    struct fiber *next; /* in the free or the ready list */
    struct event *timer;
    bool is_waiting, is_woken, is_ready, timed_out, is_done;
};

struct fiber_pool {
    struct event_base *base;
    struct event *run_ready;
    struct fiber *free, *ready, **ready_tail;
    size_t alive, kept, most;
};

static _Thread_local struct fiber *running;
static _Thread_local ucontext_t loop_context;
#ifdef FIBER_ASAN
static _Thread_local const void *loop_stack;
static _Thread_local size_t loop_stack_size;
#endif

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* From the loop into a fiber, until it waits or ends. */
static void enter(struct fiber *f)
{
    LL_CHECK(running == NULL);
    running = f;
#ifdef FIBER_ASAN
    void *fake = NULL;
    __sanitizer_start_switch_fiber(&fake, f->map + page_size(), STACK);
#endif
    LL_CHECK(swapcontext(&loop_context, &f->context) == 0);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    running = NULL;
}

/* From the running fiber back into the loop. */
static void leave(struct fiber *f)
{
#ifdef FIBER_ASAN
    void *fake = NULL;
    __sanitizer_start_switch_fiber(f->is_done ? NULL : &fake, loop_stack,
                                   loop_stack_size);
#endif
    LL_CHECK(swapcontext(&f->context, &loop_context) == 0);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake, &loop_stack, &loop_stack_size);
#endif
}

static void trampoline(void)
{
    struct fiber *f = running;

#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(NULL, &loop_stack, &loop_stack_size);
#endif
    f->body(f->argument);
    f->is_done = true;
    leave(f);
}

static void fiber_destroy(struct fiber *f)
{
    event_free(f->timer);
    munmap(f->map, STACK + page_size());
    free(f);
}

/* Run it, and take it back when it has ended. */
static void resume(struct fiber *f)
{
    struct fiber_pool *pool = f->pool;

    enter(f);
    if (!f->is_done) return;
    pool->alive--;
    if (pool->kept == KEPT) {
        fiber_destroy(f);
        return;
    }
    f->next = pool->free;
    pool->free = f;
    pool->kept++;
}

static void make_ready(struct fiber *f)
{
    struct fiber_pool *pool = f->pool;

    if (f->is_ready) return;
    f->is_ready = true;
    f->next = NULL;
    *pool->ready_tail = f;
    pool->ready_tail = &f->next;
    event_active(pool->run_ready, EV_TIMEOUT, 0);
}

/* Those that are ready now; one that becomes ready meanwhile waits for the next turn, so
 * that sockets are never starved. */
static void run_ready(evutil_socket_t fd, short what, void *context)
{
    struct fiber_pool *pool = context;
    struct fiber *f = pool->ready;

    (void)fd, (void)what;
    pool->ready = NULL;
    pool->ready_tail = &pool->ready;
    while (f != NULL) {
        struct fiber *next = f->next;

        f->is_ready = false;
        resume(f);
        f = next;
    }
}

static void time_out(evutil_socket_t fd, short what, void *context)
{
    struct fiber *f = context;

    (void)fd, (void)what;
    f->timed_out = true;
    make_ready(f);
}

struct fiber_pool *fiber_pool_new(struct event_base *base, size_t most)
{
    struct fiber_pool *pool = ll_calloc(1, sizeof(*pool));

    *pool = (struct fiber_pool){.base = base, .most = most};
    pool->ready_tail = &pool->ready;
    pool->run_ready = event_new(base, -1, 0, run_ready, pool);
    LL_CHECK(pool->run_ready != NULL);
    return pool;
}

void fiber_pool_free(struct fiber_pool *pool)
{
    LL_CHECK(pool->alive == 0);
    for (struct fiber *f = pool->free, *next; f != NULL; f = next) {
        next = f->next;
        fiber_destroy(f);
    }
    event_free(pool->run_ready);
    free(pool);
}

size_t fiber_pool_alive(const struct fiber_pool *pool)
{
    return pool->alive;
}

static struct fiber *fiber_make(struct fiber_pool *pool)
{
    struct fiber *f = ll_calloc(1, sizeof(*f));

    f->pool = pool;
    f->timer = event_new(pool->base, -1, 0, time_out, f);
    f->map = mmap(NULL, STACK + page_size(), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    LL_CHECK(f->timer != NULL && f->map != MAP_FAILED &&
             mprotect(f->map, page_size(), PROT_NONE) == 0);
    return f;
}

/* Apart, since compilers take getcontext() for a setjmp() that clobbers its caller. */
static void make_context(struct fiber *f)
{
    LL_CHECK(getcontext(&f->context) == 0);
    f->context.uc_stack.ss_sp = f->map + page_size();
    f->context.uc_stack.ss_size = STACK;
    f->context.uc_link = NULL;
    makecontext(&f->context, trampoline, 0);
}

ll_rc fiber_start(struct fiber_pool *pool, void (*body)(void *), void *argument)
{
    struct fiber *f = pool->free;

    LL_CHECK(running == NULL);
    if (pool->alive == pool->most) return LL_EFULL;
    if (f != NULL) {
        pool->free = f->next;
        pool->kept--;
    } else {
        f = fiber_make(pool);
    }
    pool->alive++;
    f->body = body;
    f->argument = argument;
    f->is_done = f->is_woken = f->is_waiting = false;
    make_context(f);
    resume(f);
    return LL_OK;
}

struct fiber *fiber_self(void)
{
    return running;
}

bool fiber_wait(int timeout_ms)
{
    struct fiber *f = running;
    struct timeval after = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

    LL_CHECK(f != NULL);
    if (!f->is_woken) {
        f->timed_out = false;
        f->is_waiting = true;
        if (timeout_ms >= 0) event_add(f->timer, &after);
        leave(f);
        if (timeout_ms >= 0) event_del(f->timer);
        f->is_waiting = false;
    }
    if (f->is_woken) {
        f->is_woken = false;
        return true;
    }
    return false;
}

void fiber_wake(struct fiber *f)
{
    f->is_woken = true;
    if (f->is_waiting) make_ready(f);
}
