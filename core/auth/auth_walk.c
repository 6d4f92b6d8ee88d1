/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_walk.c - following a chain from its owner to its final authority.
 *
 * The order of the checks of a link is the published library's, since clients see the
 * first that fails: signature present, payload readable, not expired, and only then
 * cryptography. A link of a contract wallet passes with a question.
 */
#include "core/auth/auth_chain.h"
#include "core/auth/ethereum.h"
#include "core/auth/iso_date.h"
#include "core/auth/metadata.h"
#include "core/auth/unicode_lower.h"

#include <inttypes.h>
#include <string.h>

/* Characters of an unreadable date that an error repeats. */
enum { ECHO = 64 };

struct walk {
    int64_t date_ms;
    struct link_cache *cache;
    struct arena *arena;
    struct text authority; /* who must have signed the next link */
    struct text reason;    /* of the link that does not pass */
    struct auth_verdict *verdict;
};

static const char *const validators[] = {
    [AUTH_EPHEMERAL] = "ECDSA_PERSONAL_EPHEMERAL_VALIDATOR",
    [AUTH_ENTITY] = "ECDSA_SIGNED_ENTITY_VALIDATOR",
    [AUTH_CONTRACT_EPHEMERAL] = "ECDSA_EIP_1654_EPHEMERAL_VALIDATOR",
    [AUTH_CONTRACT_ENTITY] = "EIP_1654_SIGNED_ENTITY_VALIDATOR",
};

/* ---- texts ---- */

static struct text without_cr(struct text t, struct arena *arena)
{
    char *copy;
    size_t n = 0;

    if (t.len == 0 || memchr(t.ptr, '\r', t.len) == NULL) return t;
    copy = arena_alloc(arena, t.len);
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] != '\r') copy[n++] = t.ptr[i];
    return (struct text){copy, n};
}

static bool take_line(struct text *rest, const char *start, struct text *line)
{
    text_cut(rest, '\n', line);
    if (!text_starts_with(*line, start)) return false;
    line->ptr += strlen(start);
    line->len -= strlen(start);
    return true;
}

ll_rc ephemeral_payload_parse(struct text payload, struct arena *arena,
                              struct ephemeral_payload *out, struct ll_error *err)
{
    struct text rest, line;

    out->message = without_cr(payload, arena);
    rest = out->message;
    if (!text_cut(&rest, '\n', &line) ||
        !take_line(&rest, "Ephemeral address: ", &out->address) ||
        !take_line(&rest, "Expiration: ", &line))
        return ll_fail(err, LL_EINVAL,
                       "Invalid ephemeral payload. Expected 3 lines with \"Ephemeral "
                       "address: \" on line 2 and \"Expiration: \" on line 3.");
    if (!iso_date_parse(line, &out->expiration)) {
        line = metadata_echo(line, ECHO, arena);
        return ll_fail(err, LL_EINVAL,
                       "Invalid expiration date in ephemeral payload: \"%.*s\"",
                       TEXT_ARGS(line));
    }
    return LL_OK;
}

/* ---- one link ---- */

static bool fail(struct walk *w, const char *fmt, ...) LL_PRINTF(2, 3);

/* Why the link does not pass. Returns false, for the caller to return. */
static bool fail(struct walk *w, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    w->reason = text_of(arena_vprintf(w->arena, fmt, args));
    va_end(args);
    return false;
}

/* The authority as an address; its case, the x included, does not matter. */
static bool authority_address(const struct walk *w, struct ethereum_address *out)
{
    char text[ETHEREUM_ADDRESS_TEXT];

    if (w->authority.len != sizeof(text) - 1) return false;
    memcpy(text, w->authority.ptr, sizeof(text) - 1);
    if (text[1] == 'X') text[1] = 'x';
    return ethereum_address_parse((struct text){text, sizeof(text) - 1}, out);
}

/* "Invalid signer address", with the authority in lower case. */
static bool fail_signer(struct walk *w, const struct ethereum_address *actual)
{
    struct text authority = ascii_lower(w->authority, w->arena);
    char text[ETHEREUM_ADDRESS_TEXT];

    ethereum_address_print(actual, text);
    return fail(w, "Invalid signer address. Expected: %.*s. Actual: %s",
                TEXT_ARGS(authority), text);
}

/* Did the key of the authority sign `message`? */
static bool check_key(struct walk *w, const struct auth_link *link, struct text message)
{
    struct ethereum_address expected, actual;
    uint8_t hash[KECCAK_SIZE];
    struct ll_error err;

    ethereum_personal_hash(message, hash);
    if (ethereum_recover(hash, link->signature, &actual, &err) != LL_OK)
        return fail(w, "%s", err.text);
    if (!authority_address(w, &expected) || !ethereum_address_equal(&expected, &actual))
        return fail_signer(w, &actual);
    return true;
}

/* The signature will be passed to a contract: whole bytes, in hexadecimal. */
static bool is_hex_bytes(struct text t)
{
    uint8_t byte;

    if (!text_starts_with(t, "0x") || t.len % 2 != 0) return false;
    for (size_t i = 2; i < t.len; i += 2)
        if (!hex_decode((struct text){t.ptr + i, 2}, &byte, 1)) return false;
    return true;
}

/* Leave it to the contract at the authority. */
static bool ask_contract(struct walk *w, const struct auth_link *link,
                         struct text message, int64_t until)
{
    struct ethereum_address address;
    char text[ETHEREUM_ADDRESS_TEXT];

    if (!is_hex_bytes(link->signature))
        return fail(w, "String signatures must be encoded in hex");
    if (!authority_address(w, &address))
        return fail(w, "Invalid validation. Expected: 1626ba7e. Actual: false");
    ethereum_address_print(&address, text);
    w->verdict->questions[w->verdict->question_count++] = (struct auth_question){
        .link = link,
        .authority = arena_text(w->arena, text_of(text)),
        .message = message,
        .until = until,
    };
    return true;
}

/* Did the authority's key sign the delegation? Remembered until the expiration, which the
 * caller has compared already. */
static bool check_delegation(struct walk *w, const struct auth_link *link,
                             const struct ephemeral_payload *p)
{
    const struct text parts[] = {w->authority, link->payload, link->signature};
    struct link_key key;

    if (w->cache == NULL) return check_key(w, link, p->message);
    key = link_cache_key(w->cache, parts, LL_LENGTH(parts));
    if (link_cache_has(w->cache, &key, w->date_ms, NULL)) return true;
    if (!check_key(w, link, p->message)) return false;
    link_cache_put(w->cache, &key, INT64_MIN, p->expiration, NULL);
    return true;
}

static bool check_ephemeral(struct walk *w, const struct auth_link *link)
{
    struct ephemeral_payload p;
    struct ll_error err;
    bool ok;

    if (ephemeral_payload_parse(link->payload, w->arena, &p, &err) != LL_OK)
        return fail(w, "%s", err.text);
    if (p.expiration <= w->date_ms)
        return fail(w, "Ephemeral key expired. Expiration: %" PRId64 ". Test: %" PRId64,
                    p.expiration, w->date_ms);
    ok = link->type == AUTH_CONTRACT_EPHEMERAL
             ? ask_contract(w, link, p.message, p.expiration)
             : check_delegation(w, link, &p);
    if (ok) w->authority = p.address;
    return ok;
}

static bool check_entity(struct walk *w, const struct auth_link *link)
{
    bool ok = link->type == AUTH_CONTRACT_ENTITY
                  ? ask_contract(w, link, link->payload, INT64_MAX)
                  : check_key(w, link, link->payload);

    if (ok) w->authority = link->payload;
    return ok;
}

static bool check_link(struct walk *w, const struct auth_link *link)
{
    if (link->type == AUTH_UNKNOWN) return fail(w, "Unknown auth link type");
    if (link->signature.len == 0)
        return fail(w, "Invalid AuthLink. 'signature' must be present for type '%s'",
                    validators[link->type]);
    if (link->type == AUTH_EPHEMERAL || link->type == AUTH_CONTRACT_EPHEMERAL)
        return check_ephemeral(w, link);
    return check_entity(w, link);
}

/* ---- the chain ---- */

/* SIGNER is the first link and no other. */
static bool has_signer_from(const struct auth_chain *chain, size_t first)
{
    for (size_t i = first; i < chain->count; i++)
        if (chain->links[i].type == AUTH_SIGNER) return true;
    return false;
}

static void refuse(struct auth_verdict *v, struct text message)
{
    v->ok = false;
    v->message = message;
    v->question_count = 0;
}

void auth_chain_walk_on(const struct auth_chain *chain, size_t first,
                        struct text authority, int64_t date_ms, struct link_cache *cache,
                        struct arena *arena, struct auth_verdict *out)
{
    struct walk w = {.date_ms = date_ms,
                     .cache = cache,
                     .arena = arena,
                     .authority = authority,
                     .verdict = out};

    LL_CHECK(chain->count <= AUTH_CHAIN_LINKS);
    *out = (struct auth_verdict){.message = TEXT(""), .authority = TEXT("")};
    if (has_signer_from(chain, first)) {
        refuse(out, TEXT("ERROR: Malformed authChain"));
        return;
    }
    for (size_t i = first; i < chain->count; i++) {
        const struct auth_link *link = &chain->links[i];

        if (check_link(&w, link)) continue;
        refuse(out,
               text_of(arena_printf(arena, "ERROR. Link type: %.*s. %.*s.",
                                    TEXT_ARGS(link->type_name), TEXT_ARGS(w.reason))));
        return;
    }
    out->ok = true;
    out->authority = w.authority;
}

/* A lone SIGNER proves nothing, whomever it names. */
void auth_chain_walk(const struct auth_chain *chain, int64_t date_ms,
                     struct link_cache *cache, struct arena *arena,
                     struct auth_verdict *out)
{
    if (chain->count >= 2 && chain->links[0].type == AUTH_SIGNER) {
        auth_chain_walk_on(chain, 1, chain->links[0].payload, date_ms, cache, arena, out);
        return;
    }
    *out = (struct auth_verdict){.authority = TEXT("")};
    refuse(out, TEXT("ERROR: Malformed authChain"));
}

void auth_chain_verify(const struct auth_chain *chain, struct text expected,
                       int64_t date_ms, struct link_cache *cache, struct arena *arena,
                       struct auth_verdict *out)
{
    auth_chain_walk(chain, date_ms, cache, arena, out);
    if (out->ok && !text_equal(out->authority, expected))
        refuse(out, auth_chain_authority_message(expected, out->authority, arena));
}

struct text auth_chain_authority_message(struct text expected, struct text authority,
                                         struct arena *arena)
{
    return text_of(arena_printf(
        arena, "ERROR: Invalid final authority. Expected: %.*s. Current %.*s.",
        TEXT_ARGS(expected), TEXT_ARGS(authority)));
}
