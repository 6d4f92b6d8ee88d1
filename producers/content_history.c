/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_history.c - see content_history.h. */
#include "producers/content_history.h"

static const struct {
    const char *name;
    unsigned flag;
} fields[] = {{"pointers", HISTORY_POINTERS},
              {"content", HISTORY_CONTENT},
              {"metadata", HISTORY_METADATA},
              {"auditInfo", HISTORY_AUDIT}};

bool history_sort_field(struct text name, bool *by_local)
{
    *by_local = text_is(name, "local_timestamp") || text_is(name, "localTimestamp");
    return *by_local || text_is(name, "entity_timestamp") ||
           text_is(name, "entityTimestamp");
}

bool history_sort_order(struct text name, bool *ascending)
{
    *ascending = text_is(name, "ASC");
    return *ascending || text_is(name, "DESC");
}

unsigned history_fields(struct text list)
{
    unsigned flags = 0;
    struct text one;

    while (list.len > 0) {
        text_cut(&list, ',', &one);
        for (size_t i = 0; i < LL_LENGTH(fields); i++)
            if (text_is(one, fields[i].name)) flags |= fields[i].flag;
    }
    return flags;
}

/* ---- filters ---- */

static void write_list(const char *name, const struct history_list *list,
                       struct builder *out)
{
    builder_printf(out, "%s\"%s\":[", out->ptr[out->len - 1] == '{' ? "" : ",", name);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) builder_char(out, ',');
        builder_json_string(out, list->items[i]);
    }
    builder_char(out, ']');
}

void history_filters(const struct history_page *p, struct builder *out)
{
    builder_char(out, '{');
    if (!p->is_changes) write_list("pointers", &p->pointers, out);
    write_list("entityTypes", &p->types, out);
    if (p->is_changes)
        builder_printf(out, ",\"includeAuthChain\":%s",
                       p->with_chains ? "true" : "false");
    else
        write_list("entityIds", &p->ids, out);
    if (p->only_active) builder_string(out, ",\"onlyCurrentlyPointed\":true");
    if (p->from != 0) builder_printf(out, ",\"from\":%lld", (long long)p->from);
    if (p->to != 0) builder_printf(out, ",\"to\":%lld", (long long)p->to);
    builder_char(out, '}');
}

/* ---- the next page ---- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == '~';
}

static void add_parameter(const char *name, struct text value, struct builder *out)
{
    builder_printf(out, "%s%s=", out->len > 1 ? "&" : "", name);
    for (size_t i = 0; i < value.len; i++)
        if (is_unreserved(value.ptr[i]))
            builder_char(out, value.ptr[i]);
        else
            builder_printf(out, "%%%02X", (unsigned)(unsigned char)value.ptr[i]);
}

static void add_list(const char *name, const struct history_list *list,
                     struct builder *out)
{
    for (size_t i = 0; i < list->count; i++) add_parameter(name, list->items[i], out);
}

static void add_fields(const struct history_page *p, struct builder *out)
{
    const char *before = "&fields=";

    for (size_t i = 0; p->has_fields && i < LL_LENGTH(fields); i++) {
        if ((p->fields & fields[i].flag) == 0) continue;
        builder_printf(out, "%s%s", before, fields[i].name);
        before = ",";
    }
}

void history_next(const struct history_page *p, struct builder *head,
                  struct builder *middle, struct builder *tail)
{
    int64_t other = p->ascending ? p->to : p->from;

    builder_char(head, '?');
    add_list("entityType", &p->types, head);
    add_list("entityId", &p->ids, head);
    add_list("pointer", &p->pointers, head);
    if (p->only_active) add_parameter("onlyCurrentlyPointed", TEXT("true"), head);
    if (p->with_chains) add_parameter("includeAuthChain", TEXT("true"), head);
    if (other != 0)
        builder_printf(head, "%s%s=%lld", head->len > 1 ? "&" : "",
                       p->ascending ? "to" : "from", (long long)other);
    builder_printf(head, "%s%s=", head->len > 1 ? "&" : "", p->ascending ? "from" : "to");

    add_fields(p, middle);
    builder_printf(middle, "&sortingField=%s&sortingOrder=%s&lastId=",
                   p->by_local ? "local_timestamp" : "entity_timestamp",
                   p->ascending ? "ASC" : "DESC");
    builder_printf(tail, "&limit=%lld", (long long)p->limit);
}
