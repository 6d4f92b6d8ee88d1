/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* t.h - the whole test harness of C: RUN(test), OK(condition), t_done().
 *
 * A test is a static void function; OK counts and names what failed and goes on.
 * main ends with `return t_done();`, which prints "<n> checks, <m> failed".
 */
#ifndef LL_T_H
#define LL_T_H

#include <stdio.h>

static unsigned long t_checks, t_failed;
static const char *t_name = "";

#define OK(e) \
    do { \
        t_checks++; \
        if (!(e)) { \
            t_failed++; \
            printf("FAILED %s:%d in %s: %s\n", __FILE__, __LINE__, t_name, #e); \
        } \
    } while (0)

#define RUN(test) \
    do { \
        t_name = #test; \
        test(); \
    } while (0)

static inline int t_done(void)
{
    printf("%lu checks, %lu failed\n", t_checks, t_failed);
    return t_failed > 0 || t_checks == 0;
}

#endif
