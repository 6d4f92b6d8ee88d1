/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* base.c - how errors are recorded and how the process stops. */
#include "core/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ll_rc ll_fail(struct ll_error *err, ll_rc rc, const char *fmt, ...)
{
    va_list args;

    if (err == NULL) return rc;
    err->rc = rc;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    return rc;
}

void ll_error_prefix(struct ll_error *err, const char *fmt, ...)
{
    char whole[sizeof(err->text)];
    va_list args;
    int n;

    if (err == NULL) return;
    va_start(args, fmt);
    n = vsnprintf(whole, sizeof(whole), fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(whole) - 3) return;
    snprintf(whole + n, sizeof(whole) - (size_t)n, ": %.*s",
             (int)(sizeof(whole) - (size_t)n - 3), err->text);
    memcpy(err->text, whole, sizeof(whole));
}

void ll_panic(const char *file, int line, const char *what)
{
    fprintf(stderr, "landlog: broken invariant at %s:%d: %s\n", file, line, what);
    abort();
}

static void *have(void *p)
{
    if (p == NULL) ll_panic(__FILE__, __LINE__, "out of memory");
    return p;
}

void *ll_malloc(size_t n)
{
    return have(malloc(n ? n : 1));
}

void *ll_calloc(size_t n, size_t size)
{
    return have(calloc(n ? n : 1, size ? size : 1));
}

void *ll_realloc(void *p, size_t n)
{
    return have(realloc(p, n ? n : 1));
}

char *ll_strdup(const char *s)
{
    return have(strdup(s));
}
