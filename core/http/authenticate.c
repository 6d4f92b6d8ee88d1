/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* authenticate.c - who signed a request, as its route demands (core/auth/signed_fetch.h).
 *
 * A contract wallet's signature needs a remote call: that runs on an offload thread while
 * the fiber waits. */
#include "core/auth/signed_fetch.h"
#include "core/base/clock.h"
#include "core/http/request.h"

static bool find_header(const void *context, const char *name, struct text *value)
{
    const struct http_request *r = context;
    struct text wanted = text_of(name);

    for (size_t i = 0; i < r->header_count; i++) {
        if (!text_equal_ignoring_case(r->headers[i].name, wanted)) continue;
        *value = r->headers[i].value;
        return true;
    }
    return false;
}

struct question {
    struct contract_wallet wallet;
    const struct signed_fetch *fetch;
    struct contract_answer answer;
};

static void ask(void *context)
{
    struct question *q = context;

    contract_wallet_check(&q->wallet, &q->fetch->chain, &q->fetch->verdict,
                          q->fetch->payload, q->fetch->now_ms, &q->answer);
}

static void ask_contract(struct http_request *r, struct signed_fetch *f)
{
    struct server *s = r->server;
    struct question q = {
        .wallet = {.rpc = settings_string(s->settings, SETTING_ETHEREUM_RPC),
                   .catalyst = settings_string(s->settings, SETTING_CATALYST)},
        .fetch = f,
        .answer = {503, "too many contract wallets are being asked"}};

    if (offload_run(s->offload, ask, &q) != LL_OK) { /* the answer above stays */
    }
    signed_fetch_answer(f, &q.answer, s->links, &r->arena);
}

bool request_authenticate(struct http_request *r)
{
    const struct http_service *service = r->match.service;
    struct signed_fetch_request in = {.method = r->method,
                                      .path = r->url.path,
                                      .header = find_header,
                                      .context = r,
                                      .now_ms = clock_now_ms()};
    struct signed_fetch_rules rules = {.window_ms = (int64_t)service->signature_window,
                                       .metadata_keys = service->metadata_keys,
                                       .accepts_metadata = service->accepts_metadata};
    struct signed_fetch f;
    bool is_accepted;

    if (r->match.route->auth == HTTP_OPEN) return true;
    signed_fetch_check(&f, &in, &rules, r->server->links, &r->arena);
    if (f.state == SIGNED_FETCH_ASK) ask_contract(r, &f);
    is_accepted = f.state == SIGNED_FETCH_OK;
    if (is_accepted) {
        r->identity.address = arena_text(&r->arena, f.address);
        r->identity.signer = arena_text(&r->arena, f.signer);
        r->identity.timestamp = f.timestamp;
        r->payload = arena_text(&r->arena, f.payload);
    } else if (r->match.route->auth == HTTP_SIGNED) {
        request_refuse(r, HTTP_REFUSED_AUTH, f.status, "%.*s", TEXT_ARGS(f.message));
    }
    signed_fetch_fini(&f);
    return is_accepted || r->match.route->auth == HTTP_SIGNED_OPTIONAL;
}
