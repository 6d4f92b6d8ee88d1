/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata.c - see metadata.h. Keys are compared in the lower case that older clients
 * sign: without the Kelvin sign, that would be a way to spell an undeclared key. */
#include "core/auth/metadata.h"

#include "core/auth/signed_fetch.h"

#include <string.h>

/* ---- keys ---- */

/* Does `given` become `declared` (lower-case ASCII but for its own capitals) once both
 * are lowered? Of all other characters only the Kelvin sign, U+212A, lowers to ASCII. */
static bool equal_in_lower_case(struct text given, struct text declared)
{
    size_t at = 0;

    for (size_t i = 0; i < given.len; i++, at++) {
        char c = given.ptr[i];

        if (text_starts_with((struct text){given.ptr + i, given.len - i},
                             "\xe2\x84\xaa")) {
            c = 'k';
            i += 2;
        }
        if (at == declared.len ||
            !text_equal_ignoring_case((struct text){&c, 1},
                                      (struct text){declared.ptr + at, 1}))
            return false;
    }
    return at == declared.len;
}

/* The key in one object. */
static ll_rc check_spelling(const json_t *object, struct text key, struct ll_error *err)
{
    const char *found = NULL, *name;
    unsigned spellings = 0;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        if (!equal_in_lower_case(text_of(name), key)) continue;
        spellings++;
        found = name;
    }
    if (spellings > 1)
        return ll_fail(err, LL_EINVAL, "\"%.*s\" delivered under %u spellings",
                       TEXT_ARGS(key), spellings);
    if (spellings == 1 && !text_is(key, found))
        return ll_fail(err, LL_EINVAL, "expected \"%.*s\", got \"%s\"", TEXT_ARGS(key),
                       found);
    return LL_OK;
}

/* Recursion ends with the path's dots and JSON_DEPTH. */
static ll_rc check_path(const json_t *value, struct text path, struct ll_error *err)
{
    struct text rest = path, key;
    const json_t *member;
    ll_rc rc = LL_OK;

    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value) && rc == LL_OK; i++)
            rc = check_path(json_array_get(value, i), path, err);
        return rc;
    }
    if (!json_is_object(value)) return LL_OK;
    text_cut(&rest, '.', &key);
    rc = check_spelling(value, key, err);
    member = json_object_getn(value, key.ptr, key.len);
    if (rc == LL_OK && rest.len > 0 && member != NULL) rc = check_path(member, rest, err);
    return rc;
}

ll_rc metadata_check_keys(const json_t *metadata, const char *const *keys,
                          struct ll_error *err)
{
    ll_rc rc = LL_OK;

    for (; *keys != NULL && rc == LL_OK; keys++)
        rc = check_path(metadata, text_of(*keys), err);
    return rc;
}

/* ---- who signs ---- */

/* Bytes of the white space at s that JavaScript's trim() removes; 0 when there is none.
 */
static size_t space_length(struct text t)
{
    static const char *const wide[] = {"\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                       "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
                                       "\xe3\x80\x80", "\xef\xbb\xbf"};

    if (t.len == 0) return 0;
    if (t.ptr[0] == ' ' || (t.ptr[0] >= '\t' && t.ptr[0] <= '\r')) return 1;
    for (size_t i = 0; i < LL_LENGTH(wide); i++)
        if (text_starts_with(t, wide[i])) return strlen(wide[i]);
    if (text_starts_with(t, "\xe2\x80") && t.len >= 3 && (unsigned char)t.ptr[2] <= 0x8a)
        return 3; /* U+2000 to U+200A */
    return 0;
}

static struct text trim(struct text t)
{
    size_t n;

    while ((n = space_length(t)) > 0) t = (struct text){t.ptr + n, t.len - n};
    for (size_t back = 1; back <= 3 && back <= t.len; back++)
        if (space_length((struct text){t.ptr + t.len - back, back}) == back) {
            t.len -= back;
            back = 0;
        }
    return t;
}

bool signed_fetch_may_be_signer(const json_t *metadata, const char *signer)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)metadata, name, value)
    {
        struct text given;

        if (!equal_in_lower_case(text_of(name), TEXT("signer"))) continue;
        if (strcmp(name, "signer") != 0) return true;
        if (json_member_text(metadata, name, &given) &&
            equal_in_lower_case(trim(given), text_of(signer)))
            return true;
    }
    return false;
}

/* ---- echoes ---- */

/* JavaScript counts UTF-16 units: a character beyond U+FFFF is two. */
struct text metadata_echo(struct text t, size_t most, struct arena *arena)
{
    size_t units = 0;

    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];

        if ((c & 0xc0) == 0x80) continue;
        units += c >= 0xf0 ? 2 : 1;
        if (units > most)
            return text_of(arena_printf(arena, "%.*s\xe2\x80\xa6", (int)i, t.ptr));
    }
    return t;
}
