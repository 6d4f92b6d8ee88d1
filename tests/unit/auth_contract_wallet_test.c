/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* auth_contract_wallet_test.c - a contract wallet's request against an endpoint of our
 * own (a thread with a server on loopback) that plays an Ethereum node or a Catalyst,
 * well or badly.
 */
#include "core/auth/identity.h"
#include "core/auth/signed_fetch.h"
#include "t.h"
#include "vectors.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the endpoint ---- */

enum { BLOCKS = 1000, FIRST_SECONDS = 1600000000 };

/* How it behaves; changed only while nobody asks. */
struct behaviour {
    const char *yes_data;  /* the call data that gets a yes; NULL: any */
    const char *yes_block; /* the block that gets it; NULL: none */
    const char *raw;       /* answer everything with this body */
    int status;
    bool reverts, hangs, has_no_blocks;
};

static struct behaviour behaviour;
static unsigned calls, block_calls;
static json_t *last; /* the last body that came */
static _Atomic bool answered_late;
static struct event_base *base;
static char url[64];

/* Blocks come every 10 s in the first half, every 14 s in the second. */
static long long seconds_of(long long number)
{
    long long half = number < BLOCKS / 2 ? number : BLOCKS / 2;

    return FIRST_SECONDS + 10 * half + 14 * (number - half);
}

static void answer_block(const json_t *params, struct evbuffer *out)
{
    const char *which = json_string_value(json_array_get(params, 0));
    long long number = strcmp(which, "latest") == 0 ? BLOCKS : strtoll(which, NULL, 16);

    block_calls++;
    if (behaviour.has_no_blocks)
        evbuffer_add_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}");
    else
        evbuffer_add_printf(
            out,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"number\":\"0x%llx"
            "\",\"timestamp\":\"0x%llx\"}}",
            number, seconds_of(number));
}

static void answer_call(const json_t *params, struct evbuffer *out)
{
    struct text data = vectors_text(json_array_get(params, 0), "data");
    const char *block = json_string_value(json_array_get(params, 1));
    bool yes = behaviour.yes_block != NULL && strcmp(behaviour.yes_block, block) == 0 &&
               (behaviour.yes_data == NULL || text_is(data, behaviour.yes_data));

    calls++;
    if (!yes && behaviour.reverts)
        evbuffer_add_printf(out, "{\"id\":1,\"error\":{\"code\":3,\"message\":\"no\"}}");
    else
        evbuffer_add_printf(out, "{\"id\":1,\"error\":null,\"result\":\"0x%s%056d\"}",
                            yes ? "1626BA7e" : "ffffffff", 0);
}

static void answer_late(evutil_socket_t unused, short what, void *request)
{
    (void)unused;
    (void)what;
    evhttp_send_reply(request, 200, "x", NULL);
    answered_late = true;
}

static void on_request(struct evhttp_request *r, void *unused)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(r), *out;
    size_t n = evbuffer_get_length(in);
    const json_t *params;

    (void)unused;
    if (behaviour.hangs) {
        event_base_once(base, -1, EV_TIMEOUT, answer_late, r,
                        &(struct timeval){0, 400000});
        return;
    }
    out = evbuffer_new();
    json_decref(last);
    last = json_loadb((char *)evbuffer_pullup(in, -1), n, 0, NULL);
    params = json_object_get(last, "params");
    if (behaviour.raw != NULL)
        evbuffer_add_printf(out, "%s", behaviour.raw);
    else if (text_is(vectors_text(last, "method"), "eth_call"))
        answer_call(params, out);
    else
        answer_block(params, out);
    evhttp_send_reply(r, behaviour.status ? behaviour.status : 200, "x", out);
    evbuffer_free(out);
}

static void *serve(void *unused)
{
    event_base_dispatch(base);
    return unused;
}

static void on_stop(evutil_socket_t unused, short what, void *nothing)
{
    (void)unused;
    (void)what;
    (void)nothing;
    event_base_loopbreak(base);
}

static struct evhttp *server;
static struct event *stop;
static pthread_t thread;
static int ends[2]; /* a byte in this pipe ends the thread */

static void start_endpoint(void)
{
    struct evhttp_bound_socket *bound;
    struct sockaddr_in where = {0};
    socklen_t n = sizeof(where);

    base = event_base_new();
    server = evhttp_new(base);
    evhttp_set_gencb(server, on_request, NULL);
    bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
    LL_CHECK(bound != NULL && pipe(ends) == 0);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&where, &n);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(where.sin_port));
    stop = event_new(base, ends[0], EV_READ, on_stop, NULL);
    event_add(stop, NULL);
    LL_CHECK(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void stop_endpoint(void)
{
    LL_CHECK(write(ends[1], "", 1) == 1);
    pthread_join(thread, NULL);
    event_free(stop);
    evhttp_free(server);
    event_base_free(base);
    close(ends[0]);
    close(ends[1]);
    json_decref(last);
}

/* ---- the request ---- */

static const int64_t now_ms = INT64_C(1768478400000);
static struct arena arena;
static json_t *headers;

static void add_header(void *context, const char *name, struct text value)
{
    json_object_set_new(context, name, json_stringn(value.ptr, value.len));
}

static bool json_header(const void *context, const char *name, struct text *value)
{
    return json_member_text(context, name, value);
}

static void set_link(int number, const char *type, const char *payload,
                     const char *signature)
{
    json_t *link = json_pack("{s:s,s:s,s:s}", "type", type, "payload", payload,
                             "signature", signature);
    char name[40], *text = json_dumps(link, JSON_COMPACT);

    snprintf(name, sizeof(name), "x-identity-auth-chain-%d", number);
    json_object_set_new(headers, name, json_string(text));
    free(text);
    json_decref(link);
}

static const char wallet_address[] = "0x00000000000000000000000000000000000000Aa";

/* A contract's wallet vouches for an ephemeral key with a signature of 2 bytes. */
static void make_request(void)
{
    struct ethereum_key owner;
    struct identity i;

    ethereum_key_new(&owner);
    identity_new(&i, &owner, now_ms + 3600 * 1000);
    json_decref(headers);
    headers = json_object();
    identity_sign_request(&i, TEXT("GET"), TEXT("/a"), now_ms, TEXT("{}"), add_header,
                          headers);
    set_link(0, "SIGNER", wallet_address, "");
    set_link(1, "ECDSA_EIP_1654_EPHEMERAL", i.payload, "0xabcd");
}

static void check_at(struct signed_fetch *f, struct link_cache *cache, int64_t at_ms)
{
    const struct signed_fetch_rules rules = {.window_ms = SIGNED_FETCH_WINDOW_MS};
    const struct signed_fetch_request in = {.method = TEXT("GET"),
                                            .path = TEXT("/a"),
                                            .header = json_header,
                                            .context = headers,
                                            .now_ms = at_ms};

    signed_fetch_check(f, &in, &rules, cache, &arena);
}

static void check(struct signed_fetch *f, struct link_cache *cache)
{
    check_at(f, cache, now_ms);
}

/* The verdict's status, and its message in `message`. */
static int ask(const char *rpc, const char *catalyst, int64_t date_ms, char message[600])
{
    struct contract_wallet w = {
        .rpc = rpc, .catalyst = catalyst, .call_ms = 300, .total_ms = 1000};
    struct contract_answer answer;
    struct signed_fetch f;
    int status;

    calls = block_calls = 0;
    check(&f, NULL);
    OK(f.state == SIGNED_FETCH_ASK && f.verdict.question_count == 1);
    contract_wallet_check(&w, &f.chain, &f.verdict, f.payload, date_ms, &answer);
    signed_fetch_answer(&f, &answer, NULL, &arena);
    OK((f.status == 200) == (f.state == SIGNED_FETCH_OK));
    OK(f.status != 200 ||
       text_is(f.address, "0x00000000000000000000000000000000000000aa"));
    snprintf(message, 600, "%.*s", TEXT_ARGS(f.message));
    status = f.status;
    signed_fetch_fini(&f);
    return status;
}

static int ask_rpc(int64_t date_ms, char message[600])
{
    return ask(url, "http://127.0.0.1:9", date_ms, message);
}

/* ---- JSON-RPC ---- */

static void call_data_is_that_of_the_vectors(void)
{
    json_t *vectors = vectors_load("auth-chain.json"), *row;
    size_t i;

    json_array_foreach(vectors_get(vectors, "eip1271"), i, row)
    {
        uint8_t hash[KECCAK_SIZE];
        struct builder b;

        builder_init(&b, 10000);
        keccak256(vectors_text(row, "message"), hash);
        contract_call_data(hash, vectors_text(row, "signature"), &b);
        OK(text_equal(builder_view(&b), vectors_text(row, "callDataRaw")));
        builder_reset(&b);
        ethereum_personal_hash(vectors_text(row, "message"), hash);
        contract_call_data(hash, vectors_text(row, "signature"), &b);
        OK(text_equal(builder_view(&b), vectors_text(row, "callDataPrefixed")));
        builder_fini(&b);
    }
    json_decref(vectors);
}

/* What the endpoint must be asked about the request's delegation. */
static void print_data(bool prefixed, char out[400])
{
    json_t *link;
    uint8_t hash[KECCAK_SIZE];
    struct builder b;

    OK(json_parse(vectors_text(headers, "x-identity-auth-chain-1"), 4, &link, NULL) ==
       LL_OK);
    if (prefixed)
        ethereum_personal_hash(vectors_text(link, "payload"), hash);
    else
        keccak256(vectors_text(link, "payload"), hash);
    builder_init(&b, 399);
    contract_call_data(hash, TEXT("0xabcd"), &b);
    snprintf(out, 400, "%s", builder_view(&b).ptr);
    builder_fini(&b);
    json_decref(link);
}

static void a_contract_says_yes_now(void)
{
    char data[400], message[600];

    for (int prefixed = 0; prefixed < 2; prefixed++) {
        print_data(prefixed, data);
        behaviour = (struct behaviour){
            .yes_data = data, .yes_block = "latest", .reverts = prefixed};
        OK(ask_rpc(now_ms, message) == 200);
        OK(calls == (prefixed ? 2 : 1) && block_calls == 0);
    }
    OK(text_is(vectors_text(json_array_get(vectors_get(last, "params"), 0), "to"),
               "0x00000000000000000000000000000000000000aa"));
}

/* The last block that is not after the date, for each block and around it. */
static void a_contract_said_yes_then(void)
{
    char block[24], message[600];

    for (long long n = 1; n < BLOCKS; n += 37) {
        snprintf(block, sizeof(block), "0x%llx", n);
        behaviour = (struct behaviour){.yes_block = block};
        OK(ask_rpc(seconds_of(n) * 1000, message) == 200);
        OK(ask_rpc(seconds_of(n + 1) * 1000 - 1, message) == 200);
        OK(calls == 3 && block_calls < 22);
        OK(ask_rpc(seconds_of(n + 1) * 1000, message) == 401);
        OK(n == 1 || ask_rpc(seconds_of(n) * 1000 - 1, message) == 401);
    }
    behaviour = (struct behaviour){.yes_block = "0x1"};
    OK(ask_rpc(1000, message) == 200);
}

static void a_contract_says_no(void)
{
    static const char no[] = "Invalid signature: ERROR. Link type: "
                             "ECDSA_EIP_1654_EPHEMERAL. Invalid validation. Expected: "
                             "1626ba7e. Actual: false.";
    char message[600];

    behaviour = (struct behaviour){0};
    OK(ask_rpc(now_ms, message) == 401 && strcmp(message, no) == 0);
    OK(calls == 2 && block_calls == 1);
    behaviour.reverts = true;
    OK(ask_rpc(seconds_of(500) * 1000, message) == 401 && strcmp(message, no) == 0);
    OK(calls == 4);
    behaviour.has_no_blocks = true;
    OK(ask_rpc(now_ms, message) == 401);
    OK(strcmp(message, "Invalid signature: ERROR. Link type: ECDSA_EIP_1654_EPHEMERAL. "
                       "Invalid validation. Error: RPC request failed.") == 0);
}

static void a_node_that_cannot_be_asked_is_no_verdict(void)
{
    static const char *const odd[] = {
        "", "x", "[]", "{}", "{\"result\":", "\"0x1626ba7e\""};
    char message[600];

    for (size_t i = 0; i < LL_LENGTH(odd); i++) {
        behaviour = (struct behaviour){.raw = odd[i]};
        OK(ask_rpc(now_ms, message) == 503);
    }
    behaviour = (struct behaviour){.status = 429, .yes_block = "latest"};
    OK(ask_rpc(now_ms, message) == 503);
    OK(strcmp(message, "RPC endpoint returned HTTP 429") == 0);
    behaviour = (struct behaviour){.status = 302, .yes_block = "latest"};
    OK(ask_rpc(now_ms, message) == 503);
    OK(ask("http://127.0.0.1:1", "", now_ms, message) == 503);
    OK(ask("file:///etc/hostname", "", now_ms, message) == 503);
    OK(ask("no url", "", now_ms, message) == 503);
}

/* A result of an odd type or length is no yes, and no block either. */
static void an_odd_result_is_never_a_yes(void)
{
    static const char *const odd[] = {"{\"result\":1}", "{\"result\":\"\"}",
                                      "{\"result\":\"0x\"}", "{\"result\":\"0x1626ba7\"}",
                                      "{\"result\":{\"number\":\"0x1626ba7e\"}}"};
    char message[600];

    for (size_t i = 0; i < LL_LENGTH(odd); i++) {
        behaviour = (struct behaviour){.raw = odd[i]};
        OK(ask_rpc(now_ms, message) == 503);
    }
}

static void an_answer_that_is_too_large_is_refused(void)
{
    size_t n = CONTRACT_BYTES + 1;
    char *large = ll_malloc(n + 1), message[600];

    memset(large, ' ', n);
    large[n] = '\0';
    behaviour = (struct behaviour){.raw = large};
    OK(ask_rpc(now_ms, message) == 503);
    OK(strcmp(message, "the answer is larger than 1048576 bytes") == 0);
    free(large);
}

static void a_node_that_hangs_is_left(void)
{
    char message[600];

    behaviour = (struct behaviour){.hangs = true};
    OK(ask_rpc(now_ms, message) == 503);
    OK(strcmp(message, "Timeout was reached") == 0);
    OK(!answered_late);
    while (!answered_late) usleep(10000);
}

/* ---- a Catalyst ---- */

static int ask_catalyst(const char *body, int status, char message[600])
{
    char catalyst[80];

    snprintf(catalyst, sizeof(catalyst), "%s/content?a=b", url);
    behaviour = (struct behaviour){.raw = body, .status = status};
    return ask("", catalyst, now_ms, message);
}

static void a_catalyst_is_asked(void)
{
    char message[600], expected[200];
    json_t *chain;

    OK(ask_catalyst("{\"valid\":true,\"ownerAddress\":\"0x0000000000000000000000000000000"
                    "0000000aA\"}",
                    200, message) == 200);
    chain = vectors_get(last, "authChain");
    OK(json_array_size(chain) == 3);
    OK(text_is(vectors_text(last, "timestamp"), "get:/a:1768478400000:{}"));
    OK(text_is(vectors_text(json_array_get(chain, 1), "signature"), "0xabcd"));

    OK(ask_catalyst("{\"valid\":false,\"ownerAddress\":\"0x000000000000000000000000000000"
                    "00000000aa\"}",
                    200, message) == 401);
    OK(strcmp(message, "Invalid signature") == 0);
    OK(ask_catalyst("{\"valid\":true,\"ownerAddress\":\"0x1\"}", 200, message) == 401);
    OK(ask_catalyst("{\"valid\":false}", 200, message) == 503);
    snprintf(expected, sizeof(expected),
             "Invalid response from catalyst \"%s\": unexpected response shape", url);
    OK(strcmp(message, expected) == 0);
    OK(ask_catalyst("x", 200, message) == 503);
    OK(ask_catalyst("{}", 500, message) == 503);
    snprintf(expected, sizeof(expected), "Catalyst \"%s\" returned HTTP 500", url);
    OK(strcmp(message, expected) == 0);
}

static void a_catalyst_that_is_not_there_is_no_verdict(void)
{
    char message[600];

    OK(ask("", "http://127.0.0.1:1/x", now_ms, message) == 503);
    OK(strncmp(message, "Error connecting to catalyst \"http://127.0.0.1:1\": ", 51) ==
       0);
    OK(ask("", "ftp://127.0.0.1", now_ms, message) == 503);
    OK(ask("", "", now_ms, message) == 503);
}

/* ---- what is never asked ---- */

static void a_direct_signature_needs_a_node(void)
{
    const struct contract_wallet w = {.rpc = "", .catalyst = url};
    struct contract_answer answer;
    struct signed_fetch f;

    json_object_del(headers, "x-identity-auth-chain-2");
    set_link(1, "ECDSA_EIP_1654_SIGNED_ENTITY", "get:/a:1768478400000:{}", "0x");
    check(&f, NULL);
    OK(f.state == SIGNED_FETCH_ASK);
    contract_wallet_check(&w, &f.chain, &f.verdict, f.payload, now_ms, &answer);
    signed_fetch_answer(&f, &answer, NULL, &arena);
    OK(f.status == 401);
    OK(text_is(f.message, "Invalid signature: ERROR. Link type: "
                          "ECDSA_EIP_1654_SIGNED_ENTITY. Missing provider."));
    signed_fetch_fini(&f);
    make_request();
}

/* Nobody makes us call out with a chain that is wrong anyway. */
static void a_chain_that_is_wrong_anyway_asks_nobody(void)
{
    struct signed_fetch f;
    char *link = ll_strdup(vectors_text(headers, "x-identity-auth-chain-1").ptr);

    json_object_set_new(headers, "x-identity-metadata", json_string("{\"a\":1}"));
    check(&f, NULL);
    OK(f.status == 401);
    signed_fetch_fini(&f);

    make_request();
    json_object_set_new(headers, "x-identity-auth-chain-1", json_string(link));
    check(&f, NULL);
    OK(f.status == 401); /* the request is signed by another ephemeral key */
    signed_fetch_fini(&f);

    make_request();
    set_link(0, "SIGNER", "not an address", "");
    check(&f, NULL);
    OK(f.status == 401);
    signed_fetch_fini(&f);

    make_request();
    set_link(1, "ECDSA_EIP_1654_EPHEMERAL", "x\nEphemeral address: 0x\nExpiration: 2030",
             "0xzz");
    check(&f, NULL);
    OK(f.status == 401 &&
       strstr(f.message.ptr, "String signatures must be encoded in hex") != NULL);
    signed_fetch_fini(&f);
    free(link);
    make_request();
}

static enum signed_fetch_state state_at(struct link_cache *cache, int64_t at_ms)
{
    enum signed_fetch_state state;
    struct signed_fetch f;

    check_at(&f, cache, at_ms);
    state = f.state;
    OK(text_is(f.address, "0x00000000000000000000000000000000000000aa"));
    signed_fetch_fini(&f);
    return state;
}

static void a_yes_is_remembered_for_a_minute(void)
{
    struct link_cache *cache = link_cache_new(4);
    struct contract_answer yes = {.status = 200};
    struct signed_fetch f;

    check(&f, cache);
    OK(f.state == SIGNED_FETCH_ASK);
    signed_fetch_answer(&f, &yes, cache, &arena);
    OK(f.state == SIGNED_FETCH_OK);
    signed_fetch_fini(&f);

    OK(state_at(cache, now_ms) == SIGNED_FETCH_OK);
    OK(state_at(cache, now_ms + 59999) == SIGNED_FETCH_OK);
    OK(state_at(cache, now_ms + 60000) == SIGNED_FETCH_ASK);
    OK(state_at(cache, now_ms - 1) == SIGNED_FETCH_ASK);
    OK(state_at(NULL, now_ms) == SIGNED_FETCH_ASK);
    link_cache_free(cache);
}

/* A question is asked of the whole chain, however much of it is known already. */
static void a_known_start_does_not_shorten_a_question(void)
{
    struct link_cache *cache = link_cache_new(4);
    struct contract_answer yes = {.status = 200};
    struct signed_fetch f;
    struct builder b;

    check(&f, cache);
    signed_fetch_answer(&f, &yes, cache, &arena);
    signed_fetch_fini(&f);
    set_link(2, "ECDSA_EIP_1654_SIGNED_ENTITY", "get:/a:1768478400000:{}", "0x12");
    check(&f, cache);
    OK(f.state == SIGNED_FETCH_ASK && f.verdict.question_count == 2);
    builder_init(&b, 10000);
    contract_catalyst_body(&f.chain, f.payload, &b);
    OK(strstr(builder_view(&b).ptr, "Decentraland Login") != NULL);
    OK(strstr(builder_view(&b).ptr, "\"0xabcd\"") != NULL);
    builder_fini(&b);
    signed_fetch_fini(&f);
    link_cache_free(cache);
    make_request();
}

int main(void)
{
    start_endpoint();
    arena_init(&arena, 64 << 20);
    make_request();
    RUN(call_data_is_that_of_the_vectors);
    RUN(a_contract_says_yes_now);
    RUN(a_contract_said_yes_then);
    RUN(a_contract_says_no);
    RUN(a_node_that_cannot_be_asked_is_no_verdict);
    RUN(an_odd_result_is_never_a_yes);
    RUN(an_answer_that_is_too_large_is_refused);
    RUN(a_node_that_hangs_is_left);
    RUN(a_catalyst_is_asked);
    RUN(a_catalyst_that_is_not_there_is_no_verdict);
    RUN(a_direct_signature_needs_a_node);
    RUN(a_chain_that_is_wrong_anyway_asks_nobody);
    RUN(a_yes_is_remembered_for_a_minute);
    RUN(a_known_start_does_not_shorten_a_question);
    stop_endpoint();
    json_decref(headers);
    arena_fini(&arena);
    return t_done();
}
