/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_chain.c - see content_chain.h (contract: catalyst, 3.1). */
#include "producers/content_chain.h"

#include "core/auth/auth_chain.h"

static const char too_long[] =
    "Auth chain is too long; the maximum allowed is 10 elements";

enum { MEMBERS = 3 };
static const char *const members[MEMBERS] = {"type", "payload", "signature"};

/* The chain with nothing but what is known of a link. */
static json_t *plain_chain(const json_t *chain)
{
    json_t *out = json_array();
    const json_t *link;
    size_t i;

    json_array_foreach(chain, i, link)
    {
        json_t *plain = json_object();

        for (size_t k = 0; k < MEMBERS; k++) {
            json_t *value = json_object_get(link, members[k]);

            if (value != NULL) json_object_set(plain, members[k], value);
        }
        json_array_append_new(out, plain);
    }
    return out;
}

static const char *check(json_t *given, json_t **out)
{
    if (json_array_size(given) > AUTH_CHAIN_LINKS) return too_long;
    if (!auth_chain_is_valid_schema(given)) return "Invalid auth chain";
    *out = plain_chain(given);
    return NULL;
}

/* "authChain[12][payload]": index and member. False for any other name. */
static bool read_name(struct text name, size_t *index, size_t *member)
{
    struct text number, what;
    uint64_t n;

    if (!text_starts_with(name, "authChain[")) return false;
    name.ptr += 10, name.len -= 10;
    if (!text_cut(&name, ']', &number) || !text_starts_with(name, "[") ||
        !text_to_u64(number, 1000000, &n))
        return false;
    name.ptr++, name.len--;
    if (!text_cut(&name, ']', &what) || name.len > 0) return false;
    *index = (size_t)n;
    for (*member = 0; *member < MEMBERS; ++*member)
        if (text_is(what, members[*member])) return true;
    return false;
}

static const char *read_fields(struct http_request *r, json_t **out)
{
    struct text links[AUTH_CHAIN_LINKS][MEMBERS] = {{{0}}};
    bool is_there[AUTH_CHAIN_LINKS][MEMBERS] = {{false}};
    struct text name, value;
    size_t index, member, count = 0;
    const char *problem;
    json_t *chain;

    for (size_t i = 0; http_form_field_at(r, i, &name, &value); i++) {
        if (!read_name(name, &index, &member)) continue;
        if (index >= AUTH_CHAIN_LINKS) return too_long;
        if (index >= count) count = index + 1;
        links[index][member] = value;
        is_there[index][member] = true;
    }
    if (count == 0) return "No auth chain can be derivated";
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < MEMBERS; k++)
            if (!is_there[i][k])
                return arena_printf(http_arena(r),
                                    "Missing auth chain element at index %zu", i);
    chain = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *link = json_object();

        for (size_t k = 0; k < MEMBERS; k++)
            json_object_set_new(
                link, members[k],
                json_stringn(links[i][k].len ? links[i][k].ptr : "", links[i][k].len));
        json_array_append_new(chain, link);
    }
    problem = check(chain, out);
    json_decref(chain);
    return problem;
}

const char *content_chain_read(struct http_request *r, json_t **out)
{
    struct text field;
    const char *problem;
    json_t *given;

    *out = NULL;
    if (!http_form_field(r, "authChain", &field)) return read_fields(r, out);
    if (json_parse(field, JSON_DEPTH, &given, NULL) != LL_OK) return "Invalid auth chain";
    problem = check(given, out);
    json_decref(given);
    return problem;
}
