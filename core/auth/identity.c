/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* identity.c - see identity.h. */
#include "core/auth/identity.h"

#include "core/auth/iso_date.h"
#include "core/auth/signed_fetch.h"
#include "core/base/clock.h"

#include <stdio.h>
#include <string.h>

static void print_payload(struct identity *i)
{
    char address[ETHEREUM_ADDRESS_TEXT], date[CLOCK_TEXT];
    int n;

    ethereum_address_print_checksum(&i->ephemeral.address, address);
    clock_print(i->expiration, date);
    n = snprintf(i->payload, sizeof(i->payload),
                 "Decentraland Login\nEphemeral address: %s\nExpiration: %s", address,
                 date);
    LL_CHECK(n > 0 && (size_t)n < sizeof(i->payload));
}

void identity_new(struct identity *out, const struct ethereum_key *owner,
                  int64_t expiration_ms)
{
    out->owner = owner->address;
    out->expiration = expiration_ms;
    ethereum_key_new(&out->ephemeral);
    print_payload(out);
    ethereum_personal_sign(owner, text_of(out->payload), out->signature);
}

json_t *identity_to_json(const struct identity *i)
{
    char secret[ETHEREUM_KEY_TEXT], public[ETHEREUM_PUBLIC_TEXT];
    char address[ETHEREUM_ADDRESS_TEXT], owner[ETHEREUM_ADDRESS_TEXT], date[CLOCK_TEXT];
    json_t *json;

    ethereum_key_print(&i->ephemeral, secret);
    ethereum_key_print_public(&i->ephemeral, public);
    ethereum_address_print_checksum(&i->ephemeral.address, address);
    ethereum_address_print_checksum(&i->owner, owner);
    clock_print(i->expiration, date);
    json = json_pack("{s:{s:s,s:s,s:s},s:s,s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}",
                     "ephemeralIdentity", "privateKey", secret, "publicKey", public,
                     "address", address, "expiration", date, "authChain", "type",
                     auth_link_type_name(AUTH_SIGNER), "payload", owner, "signature", "",
                     "type", auth_link_type_name(AUTH_EPHEMERAL), "payload", i->payload,
                     "signature", i->signature);
    LL_CHECK(json != NULL);
    return json;
}

/* The chain's two links, whose texts go into `out`. */
static ll_rc take_chain(const json_t *array, struct identity *out, struct ll_error *err)
{
    struct auth_chain chain;
    struct auth_link *link = &chain.links[1];
    ll_rc rc = auth_chain_parse(array, &chain, err);

    if (rc != LL_OK) return rc;
    if (chain.count != 2 || chain.links[0].type != AUTH_SIGNER ||
        link->type != AUTH_EPHEMERAL || link->payload.len >= sizeof(out->payload) ||
        link->signature.len >= sizeof(out->signature) ||
        !ethereum_address_parse(chain.links[0].payload, &out->owner))
        return ll_fail(err, LL_EINVAL,
                       "\"authChain\" must be a SIGNER and an ECDSA_EPHEMERAL link");
    memcpy(out->payload, link->payload.ptr, link->payload.len);
    memcpy(out->signature, link->signature.ptr, link->signature.len);
    return LL_OK;
}

ll_rc identity_from_json(const json_t *object, struct identity *out, struct ll_error *err)
{
    const json_t *key = json_object_get(object, "ephemeralIdentity");
    struct text secret, date;
    char stored[IDENTITY_PAYLOAD];
    ll_rc rc;

    *out = (struct identity){0};
    if (!json_member_text(key, "privateKey", &secret) ||
        !json_member_text(object, "expiration", &date) ||
        !iso_date_parse(date, &out->expiration))
        return ll_fail(err, LL_EINVAL,
                       "an identity needs ephemeralIdentity.privateKey and expiration");
    rc = ethereum_key_parse(secret, &out->ephemeral, err);
    if (rc == LL_OK) rc = take_chain(json_object_get(object, "authChain"), out, err);
    if (rc != LL_OK) return rc;
    memcpy(stored, out->payload, sizeof(stored));
    print_payload(out);
    if (strcmp(stored, out->payload) != 0)
        return ll_fail(err, LL_EINVAL,
                       "the identity's chain names another key or expiration");
    return LL_OK;
}

struct headers {
    void (*add)(void *context, const char *name, struct text value);
    void *context;
    struct builder value;
};

static void add_link(struct headers *h, int number, enum auth_link_type type,
                     struct text payload, const char *signature)
{
    char name[40];

    snprintf(name, sizeof(name), "x-identity-auth-chain-%d", number);
    builder_reset(&h->value);
    builder_printf(&h->value, "{\"type\":\"%s\",\"payload\":", auth_link_type_name(type));
    builder_json_string(&h->value, payload);
    builder_printf(&h->value, ",\"signature\":\"%s\"}", signature);
    h->add(h->context, name, builder_view(&h->value));
}

void identity_sign_request(const struct identity *i, struct text method, struct text path,
                           int64_t timestamp_ms, struct text metadata,
                           void (*add)(void *context, const char *name,
                                       struct text value),
                           void *context)
{
    struct headers h = {.add = add, .context = context};
    char owner[ETHEREUM_ADDRESS_TEXT], signature[ETHEREUM_SIGNATURE_TEXT], timestamp[24];
    struct builder payload;

    builder_init(&payload, SIGNED_FETCH_BYTES);
    builder_init(&h.value, 4 * SIGNED_FETCH_BYTES);
    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)timestamp_ms);
    signed_fetch_payload(method, path, text_of(timestamp), metadata, false, &payload);
    ethereum_personal_sign(&i->ephemeral, builder_view(&payload), signature);
    ethereum_address_print_checksum(&i->owner, owner);

    add_link(&h, 0, AUTH_SIGNER, text_of(owner), "");
    add_link(&h, 1, AUTH_EPHEMERAL, text_of(i->payload), i->signature);
    add_link(&h, 2, AUTH_ENTITY, builder_view(&payload), signature);
    add(context, "x-identity-timestamp", text_of(timestamp));
    add(context, "x-identity-metadata", metadata);
    builder_fini(&payload);
    builder_fini(&h.value);
}

json_t *identity_sign_message(const struct identity *i, struct text message)
{
    char owner[ETHEREUM_ADDRESS_TEXT], signature[ETHEREUM_SIGNATURE_TEXT];
    json_t *chain;

    ethereum_personal_sign(&i->ephemeral, message, signature);
    ethereum_address_print_checksum(&i->owner, owner);
    chain = json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s%,s:s}]", "type",
                      auth_link_type_name(AUTH_SIGNER), "payload", owner, "signature", "",
                      "type", auth_link_type_name(AUTH_EPHEMERAL), "payload", i->payload,
                      "signature", i->signature, "type", auth_link_type_name(AUTH_ENTITY),
                      "payload", message.ptr, message.len, "signature", signature);
    LL_CHECK(chain != NULL);
    return chain;
}
