/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_history.h - a page of the history of deployments: what was asked, and the
 * address of the page behind it (contract: catalyst, 3.4). Pure.
 *
 * A page is asked for from a border on: `from` when the order ascends, `to` when it
 * descends. With `lastId` the border itself is left out up to that id, so that a page
 * begins right behind the last row of the one before it.
 */
#ifndef LL_CONTENT_HISTORY_H
#define LL_CONTENT_HISTORY_H

#include "core/base/arena.h"

enum {
    HISTORY_LIMIT = 500,
    HISTORY_OFFSET = 5000,
    HISTORY_POINTERS = 1,
    HISTORY_CONTENT = 2,
    HISTORY_METADATA = 4,
    HISTORY_AUDIT = 8,
    HISTORY_USUAL = HISTORY_POINTERS | HISTORY_CONTENT | HISTORY_METADATA
};

struct history_list {
    const struct text *items;
    size_t count;
};

struct history_page {
    bool is_changes; /* pointer-changes, which knows fewer filters */
    struct history_list types, ids, pointers;
    int64_t from, to; /* ms, both included; 0: no border */
    int64_t offset, limit;
    bool by_local, ascending;
    bool only_active;
    bool with_chains; /* of pointer-changes: shown among the filters alone */
    unsigned fields;
    bool has_fields; /* the client named some */
    bool has_last;
    struct text last_id; /* lower case */
};

/* "local_timestamp", "entityTimestamp"...; false for anything else. */
bool history_sort_field(struct text name, bool *by_local);
/* "ASC", "DESC". */
bool history_sort_order(struct text name, bool *ascending);
/* "content,auditInfo" as flags; names that are none are passed over. */
unsigned history_fields(struct text list);

/* The filters as they were understood, a JSON object. */
void history_filters(const struct history_page *p, struct builder *out);
/* The next page's address is head, the last row's time, middle, its id, tail. */
void history_next(const struct history_page *p, struct builder *head,
                  struct builder *middle, struct builder *tail);

#endif
