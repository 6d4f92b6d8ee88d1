/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* answers.c - see answers.h. */
#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 100 };

void answers_ask(struct answers *a, struct client *c, const struct person *who,
                 const char *path, const char *body)
{
    struct client_request q = {
        .who = who, .method = body != NULL ? "POST" : "GET", .path = path, .body = body};
    struct builder asked;
    long status = 0;

    for (int i = 0; i < TRIES && status != 200; i++) {
        struct timespec pause = {0, 100 * 1000000};

        status = client_send(c, &q);
        if (status != 200) nanosleep(&pause, NULL);
    }
    if (status != 200) {
        a->unanswered++;
        printf("%s: %ld %.300s\n", path, status, builder_view(&c->body).ptr);
    }
    LL_CHECK(a->count < ANSWERS);
    builder_init(&asked, 64 * 1024);
    builder_printf(&asked, "%s %s %s", who != NULL ? who->address : "-", path,
                   body != NULL ? body : "");
    a->asked[a->count] = builder_take(&asked);
    a->bytes[a->count++] = ll_strdup(builder_view(&c->body).ptr);
}

size_t answers_compare(const struct answers *before, const struct answers *after,
                       const char *what)
{
    size_t bytes = 0, differing = 0;

    LL_CHECK(before->count == after->count);
    for (size_t i = 0; i < before->count; i++) {
        bytes += strlen(before->bytes[i]);
        if (strcmp(before->bytes[i], after->bytes[i]) == 0) continue;
        differing++;
        printf("%s, differs: %s\n  %.2000s\n  %.2000s\n", what, before->asked[i],
               before->bytes[i], after->bytes[i]);
    }
    printf("%s: %zu answers, %zu bytes compared, %zu differ\n", what, before->count,
           bytes, differing);
    return differing;
}

void answers_free(struct answers *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->asked[i]);
        free(a->bytes[i]);
    }
}
