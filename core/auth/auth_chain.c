/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_chain.c - chains as JSON; following one is in auth_walk.c. */
#include "core/auth/auth_chain.h"

#include <string.h>

static const char *const type_names[] = {
    [AUTH_SIGNER] = "SIGNER",
    [AUTH_EPHEMERAL] = "ECDSA_EPHEMERAL",
    [AUTH_ENTITY] = "ECDSA_SIGNED_ENTITY",
    [AUTH_CONTRACT_EPHEMERAL] = "ECDSA_EIP_1654_EPHEMERAL",
    [AUTH_CONTRACT_ENTITY] = "ECDSA_EIP_1654_SIGNED_ENTITY",
    [AUTH_UNKNOWN] = "",
};

const char *auth_link_type_name(enum auth_link_type type)
{
    return type_names[type];
}

static enum auth_link_type type_of(struct text name)
{
    for (int i = AUTH_SIGNER; i < AUTH_UNKNOWN; i++)
        if (text_is(name, type_names[i])) return (enum auth_link_type)i;
    return AUTH_UNKNOWN;
}

enum auth_link_type auth_link_type_for(size_t signature_length, bool ephemeral)
{
    if (signature_length == 132) return ephemeral ? AUTH_EPHEMERAL : AUTH_ENTITY;
    return ephemeral ? AUTH_CONTRACT_EPHEMERAL : AUTH_CONTRACT_ENTITY;
}

/* True when the text has at most AUTH_CHAIN_TEXT characters (not bytes). */
static bool is_within_limit(struct text t)
{
    size_t characters = 0;

    if (t.len <= AUTH_CHAIN_TEXT) return true;
    for (size_t i = 0; i < t.len; i++)
        if (((unsigned char)t.ptr[i] & 0xc0) != 0x80) characters++;
    return characters <= AUTH_CHAIN_TEXT;
}

ll_rc auth_link_parse(const json_t *object, struct auth_link *out, struct ll_error *err)
{
    const json_t *signature = json_object_get(object, "signature");

    *out = (struct auth_link){.signature = TEXT("")};
    if (!json_member_text(object, "type", &out->type_name))
        return ll_fail(err, LL_EINVAL, "a link's \"type\" must be a string");
    if (!json_member_text(object, "payload", &out->payload))
        return ll_fail(err, LL_EINVAL, "a link's \"payload\" must be a string");
    if (signature != NULL && !json_is_null(signature) &&
        !json_member_text(object, "signature", &out->signature))
        return ll_fail(err, LL_EINVAL, "a link's \"signature\" must be a string");
    if (!is_within_limit(out->payload) || !is_within_limit(out->signature))
        return ll_fail(err, LL_EINVAL, "a link's text is longer than %d characters",
                       AUTH_CHAIN_TEXT);
    out->type = type_of(out->type_name);
    return LL_OK;
}

ll_rc auth_chain_parse(const json_t *array, struct auth_chain *out, struct ll_error *err)
{
    out->count = 0;
    if (!json_is_array(array))
        return ll_fail(err, LL_EINVAL, "an auth chain must be an array");
    if (json_array_size(array) > AUTH_CHAIN_LINKS)
        return ll_fail(err, LL_EFULL, "Auth chain exceeds maximum length of %d",
                       AUTH_CHAIN_LINKS);
    for (size_t i = 0; i < json_array_size(array); i++) {
        ll_rc rc = auth_link_parse(json_array_get(array, i), &out->links[i], err);

        if (rc != LL_OK) {
            ll_error_prefix(err, "link %zu", i);
            return rc;
        }
        out->count = i + 1;
    }
    return LL_OK;
}

bool auth_chain_is_valid_schema(const json_t *value)
{
    struct auth_chain chain;

    if (auth_chain_parse(value, &chain, NULL) != LL_OK || chain.count == 0) return false;
    for (size_t i = 0; i < chain.count; i++) {
        const json_t *object = json_array_get(value, i);
        const json_t *signature = json_object_get(object, "signature");

        if (chain.links[i].type == AUTH_UNKNOWN) return false;
        if (chain.links[i].type == AUTH_SIGNER && chain.links[i].signature.len > 0)
            return false;
        if (chain.links[i].type != AUTH_SIGNER && !json_is_string(signature))
            return false;
    }
    return true;
}

struct text auth_chain_owner(const struct auth_chain *chain)
{
    if (chain->count > 0 && chain->links[0].type == AUTH_SIGNER)
        return chain->links[0].payload;
    return TEXT("Invalid-Owner-Address");
}
