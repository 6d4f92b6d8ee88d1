/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* base.h - included first by every header: result codes, errors and checks.
 *
 * Three voices (STYLE): LL_CHECK for a bug of ours (aborts, always on), an ll_rc
 * with an ll_error for what a peer, a file or a database did, and cli's die() for
 * the operator.
 */
#ifndef LL_BASE_H
#define LL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    LL_OK,
    LL_EFULL,     /* a named limit was reached; nothing changed */
    LL_EINVAL,    /* the input is wrong; the error says where */
    LL_ENOTFOUND, /* what was asked for does not exist */
    LL_ECONFLICT, /* somebody else got there first */
    LL_ETIMEOUT,  /* the time given ran out; the outcome is as before */
    LL_EUNKNOWN,  /* sent, and the answer was lost: settle by asking again */
    LL_EDATABASE, /* Postgres or Kafka refused or went away */
    LL_EBROKEN,   /* what is on the log contradicts what was seen before: halt */
    LL_ESYSTEM    /* a call of the operating system failed */
} ll_rc;

#define LL_MUST_CHECK   __attribute__((warn_unused_result))
#define LL_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* What went wrong, recorded once, where it happened. Lower case, what failed
 * first, the subject quoted, no full stop. All in place; copying copies it. */
struct ll_error {
    ll_rc rc;
    char text[480];
};

/* Record `fmt` in `err` (which may be NULL) and return `rc`. */
ll_rc ll_fail(struct ll_error *err, ll_rc rc, const char *fmt, ...) LL_PRINTF(3, 4);

/* Put "prefix: " before what `err` says, for a caller that knows the subject. */
void ll_error_prefix(struct ll_error *err, const char *fmt, ...) LL_PRINTF(2, 3);

_Noreturn void ll_panic(const char *file, int line, const char *what);

/* A broken invariant is our bug: stop, in release builds too. */
#define LL_CHECK(e) \
    do { \
        if (!(e)) ll_panic(__FILE__, __LINE__, #e); \
    } while (0)

/* What cannot be reached unless we have a bug. */
#define LL_BUG(what) ll_panic(__FILE__, __LINE__, what)

/* malloc, calloc, realloc, strdup that abort when memory is out (STYLE, Memory). */
void *ll_malloc(size_t n);
void *ll_calloc(size_t n, size_t size);
void *ll_realloc(void *p, size_t n);
char *ll_strdup(const char *s);

#define LL_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
