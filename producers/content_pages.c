/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_pages.c - GET /deployments and /pointer-changes: the history of deployments, a
 * page at a time (contract: catalyst, 3.4). Who polls by local time misses nothing: the
 * topic has one partition, whose time never runs backwards. */
#include "producers/content_history.h"
#include "producers/content_service.h"

enum { PIECE = 256 * 1024, PAGE_VALUES = 24 };

static bool read_types(struct http_request *r, struct history_page *p)
{
    size_t n;
    struct text *given = http_query_list(r, "entityType", &n);

    for (size_t i = 0; i < n; i++) {
        enum entity_type type;

        if (!entity_type_find_loosely(given[i], &type)) {
            content_refuse_as(r, 400, "Found an unrecognized entity type");
            return false;
        }
        given[i] = text_of(entity_type_name(type));
    }
    p->types = (struct history_list){given, n};
    return true;
}

static bool read_sorting(struct http_request *r, struct history_page *p)
{
    struct text given;

    p->by_local = true;
    if (http_query_parameter(r, "sortingField", &given) && given.len > 0 &&
        !history_sort_field(given, &p->by_local)) {
        content_refuse_as(r, 400, "Found an unrecognized sort field param");
        return false;
    }
    if (http_query_parameter(r, "sortingOrder", &given) && given.len > 0 &&
        !history_sort_order(given, &p->ascending)) {
        content_refuse_as(r, 400, "Found an unrecognized sort order param");
        return false;
    }
    return true;
}

static bool read_borders(struct http_request *r, struct history_page *p)
{
    p->from = content_number_parameter(r, "from", 0);
    p->to = content_number_parameter(r, "to", 0);
    p->offset = content_number_parameter(r, "offset", 0);
    p->limit = content_number_parameter(r, "limit", HISTORY_LIMIT);
    if (p->offset < 0) p->offset = 0;
    if (p->limit < 1 || p->limit > HISTORY_LIMIT) p->limit = HISTORY_LIMIT;
    p->has_last = http_query_parameter(r, "lastId", &p->last_id) && p->last_id.len > 0;
    if (p->has_last) p->last_id = content_lower(r, p->last_id);
    if (p->offset <= HISTORY_OFFSET) return true;
    content_refuse_as(r, 400,
                      "Offset can't be higher than %d. Please use the 'next' property "
                      "for pagination.",
                      HISTORY_OFFSET);
    return false;
}

static bool flag_parameter(struct http_request *r, const char *name)
{
    struct text given;

    return http_query_parameter(r, name, &given) && text_is(given, "true");
}

/* What /deployments knows beyond /pointer-changes. */
static bool read_filters(struct http_request *r, struct history_page *p)
{
    struct text given, *pointers;
    size_t n;

    p->ids.items = http_query_list(r, "entityId", &p->ids.count);
    pointers = http_query_list(r, "pointer", &n);
    for (size_t i = 0; i < n; i++) pointers[i] = content_lower(r, pointers[i]);
    p->pointers = (struct history_list){pointers, n};
    p->only_active = flag_parameter(r, "onlyCurrentlyPointed");
    p->has_fields = http_query_parameter(r, "fields", &given) && given.len > 0;
    p->fields = p->has_fields ? history_fields(given) : HISTORY_USUAL;
    if (n <= CONTENT_LIST_MOST && p->ids.count <= CONTENT_LIST_MOST) return true;
    content_refuse_as(r, 400,
                      "Too many filter values; the maximum allowed per filter is %d",
                      CONTENT_LIST_MOST);
    return false;
}

static struct http_query_value list_or_null(struct http_request *r, const char *name,
                                            const struct history_list *list)
{
    if (list->count == 0) return (struct http_query_value){.name = name, .is_null = true};
    return content_list(r, name, list->items, list->count);
}

static struct text built(struct http_request *r, struct builder *b)
{
    struct text copy;

    LL_CHECK(!b->full);
    copy = arena_text(http_arena(r), builder_view(b));
    builder_fini(b);
    return copy;
}

/* The values that both queries take; returns how many. */
static size_t page_values(struct http_request *r, const struct history_page *p,
                          struct http_query_value *v)
{
    struct builder filters, head, middle, tail;
    size_t n = 0;

    builder_init(&filters, PIECE);
    builder_init(&head, PIECE);
    builder_init(&middle, PIECE);
    builder_init(&tail, PIECE);
    history_filters(p, &filters);
    history_next(p, &head, &middle, &tail);
    v[n++] = list_or_null(r, "types", &p->types);
    v[n++] = content_flag("by_local", p->by_local);
    v[n++] = content_flag("ascending", p->ascending);
    v[n++] = content_number(r, "from_time", p->from);
    v[n++] = content_text("from_id", p->has_last && p->ascending ? p->last_id : TEXT(""));
    v[n++] = content_number(r, "to_time", p->to == 0 ? INT64_MAX : p->to);
    v[n++] = content_text("to_id", p->has_last && !p->ascending ? p->last_id : TEXT("~"));
    v[n++] = content_number(r, "offset", p->offset);
    v[n++] = content_number(r, "limit", p->limit);
    v[n++] = content_text("filters", built(r, &filters));
    v[n++] = (struct http_query_value){"last_id", p->last_id, !p->has_last};
    v[n++] = content_text("next_head", built(r, &head));
    v[n++] = content_text("next_middle", built(r, &middle));
    v[n++] = content_text("next_tail", built(r, &tail));
    return n;
}

void content_get_deployments(struct http_request *r)
{
    struct history_page p = {0};
    struct http_query_value v[PAGE_VALUES];
    size_t n;

    if (!read_types(r, &p) || !read_sorting(r, &p) || !read_borders(r, &p) ||
        !read_filters(r, &p))
        return;
    n = page_values(r, &p, v);
    v[n++] = list_or_null(r, "ids", &p.ids);
    v[n++] = list_or_null(r, "pointers", &p.pointers);
    v[n++] = content_flag("active", p.only_active);
    v[n++] = content_flag("with_pointers", p.fields & HISTORY_POINTERS);
    v[n++] = content_flag("with_content", p.fields & HISTORY_CONTENT);
    v[n++] = content_flag("with_metadata", p.fields & HISTORY_METADATA);
    v[n++] = content_flag("with_audit", p.fields & HISTORY_AUDIT);
    http_answer_query(r, "deployments", v, n);
}

void content_get_pointer_changes(struct http_request *r)
{
    struct history_page p = {.is_changes = true};
    struct http_query_value v[PAGE_VALUES];

    if (!read_types(r, &p) || !read_sorting(r, &p) || !read_borders(r, &p)) return;
    p.with_chains = flag_parameter(r, "includeAuthChain");
    http_answer_query(r, "pointer_changes", v, page_values(r, &p, v));
}
