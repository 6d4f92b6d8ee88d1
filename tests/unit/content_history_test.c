/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_history_test.c - pages of history: what they echo, and where the next one is.
 */
#include "producers/content_history.h"
#include "t.h"

#include <string.h>

static struct text types[] = {TEXT("scene"), TEXT("profile")};
static struct text pointers[] = {TEXT("0,0"), TEXT("a b&c=\xc3\xa9")};

static void next_is(const struct history_page *p, const char *expected)
{
    struct builder head, middle, tail;

    builder_init(&head, 4096);
    builder_init(&middle, 4096);
    builder_init(&tail, 4096);
    history_next(p, &head, &middle, &tail);
    builder_string(&head, "TIME");
    builder_text(&head, builder_view(&middle));
    builder_string(&head, "ID");
    builder_text(&head, builder_view(&tail));
    OK(text_is(builder_view(&head), expected));
    builder_fini(&head);
    builder_fini(&middle);
    builder_fini(&tail);
}

static void the_next_page_keeps_order_and_filters(void)
{
    struct history_page p = {.by_local = true, .ascending = true, .limit = 500};

    next_is(&p, "?from=TIME&sortingField=local_timestamp&sortingOrder=ASC&lastId=ID"
                "&limit=500");
    p.ascending = false;
    p.from = 5;
    p.to = 9; /* gives way to the last row's */
    next_is(&p, "?from=5&to=TIME&sortingField=local_timestamp&sortingOrder=DESC&lastId=ID"
                "&limit=500");
    p = (struct history_page){.types = {types, 2},
                              .pointers = {pointers, 2},
                              .to = 7,
                              .ascending = true,
                              .only_active = true,
                              .fields = HISTORY_CONTENT | HISTORY_AUDIT,
                              .has_fields = true,
                              .limit = 1};
    next_is(&p, "?entityType=scene&entityType=profile&pointer=0%2C0&pointer=a%20b%26c%3D"
                "%C3%A9&onlyCurrentlyPointed=true&to=7&from=TIME&fields=content,auditInfo"
                "&sortingField=entity_timestamp&sortingOrder=ASC&lastId=ID&limit=1");
}

static void filters_are_echoed_as_understood(void)
{
    struct history_page p = {.types = {types, 1}, .from = 3};
    struct builder b;

    builder_init(&b, 4096);
    history_filters(&p, &b);
    OK(text_is(
        builder_view(&b),
        "{\"pointers\":[],\"entityTypes\":[\"scene\"],\"entityIds\":[],\"from\":3}"));
    builder_reset(&b);
    p = (struct history_page){.is_changes = true, .with_chains = true, .to = 4};
    history_filters(&p, &b);
    OK(text_is(builder_view(&b),
               "{\"entityTypes\":[],\"includeAuthChain\":true,\"to\":4}"));
    builder_fini(&b);
}

static void sorting_and_fields_are_read(void)
{
    bool flag;

    OK(history_sort_field(TEXT("local_timestamp"), &flag) && flag);
    OK(history_sort_field(TEXT("localTimestamp"), &flag) && flag);
    OK(history_sort_field(TEXT("entityTimestamp"), &flag) && !flag);
    OK(!history_sort_field(TEXT("timestamp"), &flag));
    OK(history_sort_order(TEXT("ASC"), &flag) && flag);
    OK(history_sort_order(TEXT("DESC"), &flag) && !flag);
    OK(!history_sort_order(TEXT("asc"), &flag));
    OK(history_fields(TEXT("content,odd,auditInfo")) ==
       (HISTORY_CONTENT | HISTORY_AUDIT));
    OK(history_fields(TEXT("")) == 0);
}

int main(void)
{
    RUN(the_next_page_keeps_order_and_filters);
    RUN(filters_are_echoed_as_understood);
    RUN(sorting_and_fields_are_read);
    return t_done();
}
