/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* contract_wallet.c - the questions as JSON-RPC calls or as one POST to a Catalyst.
 *
 * An answer "no" and an endpoint that cannot be asked are kept apart: the first is the
 * client's fault (401), the second is not (503). A call that the contract reverts is a
 * no.
 */
#include "core/auth/contract_wallet.h"
#include "core/auth/ethereum.h"
#include "core/auth/http_post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAGIC "0x1626ba7e" /* the selector, and what a contract returns for yes */

struct session {
    struct http_post post;
    const struct contract_wallet *wallet;
    struct ll_error why; /* the endpoint could not be asked */
};

/* ---- texts ---- */

void contract_call_data(const uint8_t hash[KECCAK_SIZE], struct text signature,
                        struct builder *out)
{
    size_t n;

    LL_CHECK(text_starts_with(signature, "0x") && signature.len % 2 == 0);
    n = signature.len / 2 - 1;
    builder_string(out, MAGIC);
    builder_hex(out, hash, KECCAK_SIZE);
    builder_printf(out, "%064x%064zx", 0x40, n);
    builder_add(out, signature.ptr + 2, 2 * n);
    for (; n % 32 != 0; n++) builder_string(out, "00");
}

void contract_catalyst_body(const struct auth_chain *chain, struct text expected,
                            struct builder *out)
{
    builder_string(out, "{\"authChain\":[");
    for (size_t i = 0; i < chain->count; i++) {
        const struct auth_link *link = &chain->links[i];

        builder_string(out, i > 0 ? ",{\"type\":" : "{\"type\":");
        builder_json_string(out, link->type_name);
        builder_string(out, ",\"payload\":");
        builder_json_string(out, link->payload);
        builder_string(out, ",\"signature\":");
        builder_json_string(out, link->signature);
        builder_char(out, '}');
    }
    builder_string(out, "],\"timestamp\":");
    builder_json_string(out, expected);
    builder_char(out, '}');
}

static void answer(struct contract_answer *out, int status, const char *fmt, ...)
    LL_PRINTF(3, 4);

static void answer(struct contract_answer *out, int status, const char *fmt, ...)
{
    va_list args;

    out->status = status;
    va_start(args, fmt);
    vsnprintf(out->message, sizeof(out->message), fmt, args);
    va_end(args);
}

/* ---- JSON-RPC ---- */

/* LL_OK with the result, which the caller frees; LL_ENOTFOUND when the endpoint answered
 * with an error; anything else: it could not be asked. */
static ll_rc call(struct session *s, const char *method, const char *params,
                  json_t **result)
{
    struct builder body;
    json_t *json = NULL, *error;
    long status = 0;
    ll_rc rc;

    *result = NULL;
    builder_init(&body, CONTRACT_BYTES);
    builder_printf(&body,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
                   method, params);
    rc = http_post(&s->post, s->wallet->rpc, builder_view(&body), &status, &s->why);
    builder_fini(&body);
    if (rc != LL_OK) return rc;
    if (status < 200 || status > 299)
        return ll_fail(&s->why, LL_ESYSTEM, "RPC endpoint returned HTTP %ld", status);
    if (json_parse(http_post_answer(&s->post), JSON_DEPTH, &json, NULL) != LL_OK ||
        !json_is_object(json)) {
        json_decref(json);
        return ll_fail(&s->why, LL_ESYSTEM, "Invalid JSON-RPC response");
    }
    error = json_object_get(json, "error");
    if (error != NULL && !json_is_null(error))
        rc = ll_fail(&s->why, LL_ENOTFOUND, "RPC request failed");
    else if (json_object_get(json, "result") == NULL)
        rc = ll_fail(&s->why, LL_ESYSTEM, "Invalid JSON-RPC response");
    else
        *result = json_incref(json_object_get(json, "result"));
    json_decref(json);
    return rc;
}

/* One eth_call of isValidSignature. */
static ll_rc ask_once(struct session *s, const struct auth_question *q,
                      const uint8_t hash[KECCAK_SIZE], const char *block, bool *yes)
{
    struct builder params;
    json_t *result;
    ll_rc rc;

    *yes = false;
    builder_init(&params, CONTRACT_BYTES);
    builder_printf(&params, "[{\"to\":\"%.*s\",\"data\":\"", TEXT_ARGS(q->authority));
    contract_call_data(hash, q->link->signature, &params);
    builder_printf(&params, "\"},\"%s\"]", block);
    rc = call(s, "eth_call", builder_view(&params).ptr, &result);
    builder_fini(&params);
    if (rc == LL_ENOTFOUND) return LL_OK;
    if (rc != LL_OK) return rc;
    *yes = json_is_string(result) && json_string_length(result) >= strlen(MAGIC) &&
           strncasecmp(json_string_value(result), MAGIC, strlen(MAGIC)) == 0;
    json_decref(result);
    return LL_OK;
}

/* With the bare hash of the message, then with the personal_sign digest: contracts
 * differ in which of them they want. */
static ll_rc ask_at(struct session *s, const struct auth_question *q, const char *block,
                    bool *yes)
{
    uint8_t hash[KECCAK_SIZE];
    ll_rc rc;

    keccak256(q->message, hash);
    rc = ask_once(s, q, hash, block, yes);
    if (rc != LL_OK || *yes) return rc;
    ethereum_personal_hash(q->message, hash);
    return ask_once(s, q, hash, block, yes);
}

/* ---- the block of a date ---- */

struct block {
    uint64_t number, seconds;
};

/* `0x` and hexadecimal digits, as JSON-RPC writes quantities. */
static bool member_quantity(const json_t *object, const char *name, uint64_t *out)
{
    struct text t;
    char *end;

    if (!json_member_text(object, name, &t) || !text_starts_with(t, "0x") || t.len < 3 ||
        t.len > 18)
        return false;
    *out = strtoull(t.ptr + 2, &end, 16);
    return *end == '\0' && *out < INT64_MAX;
}

static ll_rc get_block(struct session *s, const char *which, struct block *out)
{
    char params[48];
    json_t *result;
    ll_rc rc;

    snprintf(params, sizeof(params), "[\"%s\",false]", which);
    rc = call(s, "eth_getBlockByNumber", params, &result);
    if (rc != LL_OK) return rc;
    if (!member_quantity(result, "number", &out->number) ||
        !member_quantity(result, "timestamp", &out->seconds))
        rc = ll_fail(&s->why, LL_ESYSTEM, "Invalid JSON-RPC response");
    json_decref(result);
    return rc;
}

static void print_block(uint64_t number, char out[24])
{
    snprintf(out, 24, "0x%" PRIx64, number);
}

/* Between low (not after `seconds`) and high (after): where a steady block time would
 * put it, or, each second time, the middle, so that the search always ends. */
static uint64_t guess(const struct block *low, const struct block *high, uint64_t seconds,
                      bool middle)
{
    uint64_t span = high->number - low->number, at;

    if (middle || high->seconds <= low->seconds)
        at = span / 2;
    else
        at = (uint64_t)((double)span * (double)(seconds - low->seconds) /
                        (double)(high->seconds - low->seconds));
    if (at < 1) at = 1;
    return low->number + (at < span ? at : span - 1);
}

/* The last block not after the date. `is_latest`: there is none behind it. */
static ll_rc find_block(struct session *s, int64_t date_ms, char out[24], bool *is_latest)
{
    struct block low, high, at;
    uint64_t seconds = date_ms > 0 ? (uint64_t)date_ms / 1000 : 0;
    ll_rc rc = get_block(s, "latest", &high);

    *is_latest = rc == LL_OK && seconds >= high.seconds;
    if (rc != LL_OK || *is_latest) return rc;
    rc = get_block(s, "0x1", &low);
    for (int step = 0;
         rc == LL_OK && low.seconds <= seconds && high.number > low.number + 1; step++) {
        char number[24];

        print_block(guess(&low, &high, seconds, step % 2 == 1), number);
        rc = get_block(s, number, &at);
        if (rc != LL_OK) break;
        if (at.number <= low.number || at.number >= high.number)
            return ll_fail(&s->why, LL_ESYSTEM,
                           "the RPC endpoint's blocks are out of order");
        *(at.seconds <= seconds ? &low : &high) = at;
    }
    print_block(low.number, out);
    return rc;
}

/* ---- one question, both ways ---- */

static void ask_rpc(struct session *s, const struct auth_question *q, int64_t date_ms,
                    struct contract_answer *out)
{
    char block[24];
    bool yes = false, is_latest = false;
    ll_rc rc = ask_at(s, q, "latest", &yes);

    if (rc == LL_OK && !yes) {
        rc = find_block(s, date_ms, block, &is_latest);
        if (rc == LL_ENOTFOUND) {
            answer(out, 401, "ERROR. Link type: %.*s. Invalid validation. Error: %s.",
                   TEXT_ARGS(q->link->type_name), s->why.text);
            return;
        }
        if (rc == LL_OK && !is_latest) rc = ask_at(s, q, block, &yes);
    }
    if (rc != LL_OK)
        answer(out, 503, "%s", s->why.text);
    else if (yes)
        answer(out, 200, "%s", "");
    else
        answer(out, 401,
               "ERROR. Link type: %.*s. Invalid validation. Expected: 1626ba7e. Actual: "
               "false.",
               TEXT_ARGS(q->link->type_name));
}

/* A Catalyst judges whole chains of this shape only. */
static bool is_for_catalyst(const struct auth_chain *chain)
{
    return (chain->count == 2 || chain->count == 3) &&
           chain->links[1].type == AUTH_CONTRACT_EPHEMERAL;
}

/* {"valid":…,"ownerAddress":…} */
static void judge_catalyst(const char *origin, struct text body, struct text owner,
                           struct contract_answer *out)
{
    json_t *json, *valid;
    struct ll_error err = {.text = "unexpected response shape"};
    struct text named;

    if (json_parse(body, JSON_DEPTH, &json, &err) != LL_OK ||
        !json_is_boolean(valid = json_object_get(json, "valid")) ||
        !json_member_text(json, "ownerAddress", &named))
        answer(out, 503, "Invalid response from catalyst \"%s\": %.200s", origin,
               err.text);
    else if (!json_is_true(valid) || !text_equal_ignoring_case(named, owner))
        answer(out, 401, "%s", "");
    else
        answer(out, 200, "%s", "");
    json_decref(json);
}

static void ask_catalyst(struct session *s, const struct auth_chain *chain,
                         struct text expected, struct contract_answer *out)
{
    char origin[HTTP_ORIGIN], url[HTTP_ORIGIN + 64];
    struct builder body;
    long status = 0;

    if (!http_origin(s->wallet->catalyst, origin)) {
        answer(out, 503, "Error connecting to catalyst \"%.200s\": it is no URL",
               s->wallet->catalyst);
        return;
    }
    snprintf(url, sizeof(url), "%s/lambdas/crypto/validate-signature", origin);
    builder_init(&body, CONTRACT_BYTES * 4);
    contract_catalyst_body(chain, expected, &body);
    if (http_post(&s->post, url, builder_view(&body), &status, &s->why) != LL_OK)
        answer(out, 503, "Error connecting to catalyst \"%s\": %.200s", origin,
               s->why.text);
    else if (status < 200 || status > 299)
        answer(out, 503, "Catalyst \"%s\" returned HTTP %ld", origin, status);
    else
        judge_catalyst(origin, http_post_answer(&s->post), auth_chain_owner(chain), out);
    builder_fini(&body);
}

/* Nobody to ask. The published middleware has a Catalyst by default, so that a chain it
 * would pass on fails there as "cannot be told"; any other shape it refuses itself. */
static void answer_alone(const struct contract_wallet *w, const struct auth_chain *chain,
                         const struct auth_question *q, struct contract_answer *out)
{
    if (is_for_catalyst(chain))
        answer(
            out, 503,
            "Error connecting to catalyst \"%s\": neither ethereum.rpc nor catalyst is "
            "set",
            w->catalyst);
    else
        answer(out, 401, "ERROR. Link type: %.*s. Missing provider.",
               TEXT_ARGS(q->link->type_name));
}

void contract_wallet_check(const struct contract_wallet *w,
                           const struct auth_chain *chain,
                           const struct auth_verdict *verdict, struct text expected,
                           int64_t date_ms, struct contract_answer *out)
{
    bool has_rpc = w->rpc[0] != '\0';
    bool has_catalyst = w->catalyst[0] != '\0' && is_for_catalyst(chain);
    struct session s = {.wallet = w};

    LL_CHECK(verdict->ok && verdict->question_count > 0);
    if (!has_rpc && !has_catalyst) {
        answer_alone(w, chain, &verdict->questions[0], out);
        return;
    }
    http_post_init(&s.post, w->call_ms ? w->call_ms : CONTRACT_CALL_MS,
                   w->total_ms ? w->total_ms : CONTRACT_TOTAL_MS, CONTRACT_BYTES);
    if (has_rpc) {
        *out = (struct contract_answer){.status = 200};
        for (size_t i = 0; i < verdict->question_count && out->status == 200; i++)
            ask_rpc(&s, &verdict->questions[i], date_ms, out);
    } else {
        ask_catalyst(&s, chain, expected, out);
    }
    http_post_fini(&s.post);
}
