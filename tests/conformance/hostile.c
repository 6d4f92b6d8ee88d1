/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* hostile.c - see hostile.h. */
#include "hostile.h"

#include "raw_http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_one_of(int status, const int statuses[3])
{
    for (int i = 0; i < 3; i++)
        if (statuses[i] != 0 && statuses[i] == status) return true;
    return false;
}

/* True when the connection still serves: a good request on it is answered. */
static bool still_serves(int s)
{
    static struct raw_reply r;

    if (!raw_send(s, TEXT(GOOD))) return false;
    raw_receive(s, 1, 3000, &r);
    return raw_status(&r) == 200;
}

static bool goes_right(int port, const struct hostile *h)
{
    static struct raw_reply r, rest;
    int s = raw_connect(port);
    bool right;

    memset(&rest, 0, sizeof(rest));
    raw_send(s, h->bytes);
    raw_receive(s, 1, 4000, &r);
    right = is_one_of(raw_status(&r), h->statuses) && !r.malformed;
    if (h->after == CLOSES && right && !r.closed) {
        raw_receive_to_end(s, 3000, &rest);
        right = rest.closed && rest.len == 0 && r.count == 1;
    }
    if (h->after == STAYS && right) right = still_serves(s);
    close(s);
    if (!right)
        printf("  %s: %zu answers, the first %d%s\n", h->name, r.count, raw_status(&r),
               r.was_reset || rest.was_reset ? ", reset" : "");
    return right;
}

size_t hostile_wrong(int port, const struct hostile *all, size_t n)
{
    size_t wrong = 0;
    int s;

    for (size_t i = 0; i < n; i++) wrong += !goes_right(port, &all[i]);
    s = raw_connect(port);
    wrong += !still_serves(s);
    close(s);
    return wrong;
}
