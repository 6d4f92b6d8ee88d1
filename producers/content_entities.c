/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_entities.c - active entities by id, pointer and collection (contract: catalyst,
 * 3.2). */
#include "producers/content/urn.h"
#include "producers/content_service.h"

#include <limits.h>

enum { PAGE_USUAL = 100, PAGE_MOST = 1000 };

struct wanted {
    struct text *ids, *pointers;
    size_t id_count, pointer_count;
    bool content, metadata, shown_pointers;
};

static void answer_entities(struct http_request *r, const struct wanted *w)
{
    struct http_query_value values[] = {
        content_list(r, "ids", w->ids, w->id_count),
        content_list(r, "pointers", w->pointers, w->pointer_count),
        content_flag("with_content", w->content),
        content_flag("with_pointers", w->shown_pointers),
        content_flag("with_metadata", w->metadata),
    };

    http_answer_query(r, "active_entities", values, LL_LENGTH(values));
}

static struct text *texts_of(struct http_request *r, const json_t *array, bool lower,
                             size_t *n)
{
    struct text *texts;

    *n = json_array_size(array);
    texts = arena_calloc(http_arena(r), *n + 1, sizeof(*texts));
    for (size_t i = 0; i < *n; i++) {
        const json_t *item = json_array_get(array, i);

        texts[i] = (struct text){json_string_value(item), json_string_length(item)};
        if (lower) texts[i] = content_lower(r, texts[i]);
    }
    return texts;
}

void content_post_active(struct http_request *r)
{
    const json_t *body = http_json_body(r);
    struct wanted w = {.content = true, .metadata = true, .shown_pointers = true};

    if (body == NULL) return;
    w.ids = texts_of(r, json_object_get(body, "ids"), false, &w.id_count);
    w.pointers = texts_of(r, json_object_get(body, "pointers"), true, &w.pointer_count);
    answer_entities(r, &w);
}

static bool is_named(struct text list, const char *field)
{
    struct text one;

    while (list.len > 0) {
        text_cut(&list, ',', &one);
        if (text_is(one, field)) return true;
    }
    return false;
}

void content_get_entities(struct http_request *r)
{
    struct text given = http_path_parameter(r, "type"), fields = TEXT("");
    struct wanted w = {0};
    enum entity_type type;

    if (!entity_type_find_loosely(given, &type)) {
        content_refuse_type(r, given);
        return;
    }
    w.ids = http_query_list(r, "id", &w.id_count);
    w.pointers = http_query_list(r, "pointer", &w.pointer_count);
    if ((w.id_count > 0) == (w.pointer_count > 0)) {
        content_refuse_as(r, 400, "ids or pointers must be present, but not both");
        return;
    }
    if (w.id_count > CONTENT_LIST_MOST || w.pointer_count > CONTENT_LIST_MOST) {
        content_refuse_as(r, 400, "Too many ids or pointers; the maximum allowed is %d",
                          CONTENT_LIST_MOST);
        return;
    }
    for (size_t i = 0; i < w.pointer_count; i++)
        w.pointers[i] = content_lower(r, w.pointers[i]);
    http_query_parameter(r, "fields", &fields);
    w.content = fields.len == 0 || is_named(fields, "content");
    w.metadata = fields.len == 0 || is_named(fields, "metadata");
    w.shown_pointers = fields.len == 0 || is_named(fields, "pointers");
    http_add_header(r, "Cache-Control", "public, max-age=10");
    answer_entities(r, &w);
}

/* The path of POST /entities/active is one of GET /entities/:type too. */
void content_get_type_active(struct http_request *r)
{
    content_refuse_type(r, TEXT("active"));
}

/* A URN that many items begin with; else the refusal was answered. */
static bool is_collection(struct http_request *r, struct text given)
{
    static const char *const bases[] = {"urn:decentraland:off-chain:base-avatars",
                                        "urn:decentraland:off-chain:base-emotes"};
    struct urn urn;

    for (size_t i = 0; i < LL_LENGTH(bases); i++)
        if (text_equal_ignoring_case(given, text_of(bases[i]))) return true;
    if (!urn_parse(given, &urn)) {
        content_refuse_as(r, 400, "Invalid URN format: %.*s", TEXT_ARGS(given));
        return false;
    }
    if (urn.kind == URN_COLLECTION_V1 || urn.kind == URN_COLLECTION_V2 ||
        urn.kind == URN_THIRD_PARTY || urn.kind == URN_THIRD_COLLECTION)
        return true;
    content_refuse_as(r, 400,
                      "Invalid collection urn param, it must be a valid urn prefix of a "
                      "collection or a third party id, instead: '%.*s'",
                      TEXT_ARGS(given));
    return false;
}

static bool page_parameter(struct http_request *r, const char *name, int64_t usual,
                           int64_t *out)
{
    struct text given;

    *out = usual;
    if (!http_query_parameter(r, name, &given)) return true;
    if (content_leading_integer(given, out) && *out >= 1) return true;
    content_refuse_as(r, 400, "%s must be a positive integer", name);
    return false;
}

void content_get_collection(struct http_request *r)
{
    struct text urn = http_path_parameter(r, "collectionUrn");
    int64_t size, number;

    if (!is_collection(r, urn) || !page_parameter(r, "pageSize", PAGE_USUAL, &size) ||
        !page_parameter(r, "pageNum", 1, &number))
        return;
    if (size > PAGE_MOST) {
        content_refuse_as(r, 400, "max allowed pageSize is %d", PAGE_MOST);
        return;
    }
    if (number > INT_MAX / size) number = INT_MAX / size;
    struct http_query_value values[] = {
        content_text("urn", content_lower(r, urn)),
        content_number(r, "limit", size),
        content_number(r, "offset", (number - 1) * size),
    };
    http_answer_query(r, "active_of_collection", values, LL_LENGTH(values));
}
