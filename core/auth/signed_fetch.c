/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* signed_fetch.c - the checks of a request in the order of the current published
 * middleware (contract auth-chain, 3.3): chain, timestamp, metadata, metadata rule,
 * signature. The first that fails answers. */
#include "core/auth/signed_fetch.h"

#include "core/auth/metadata.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTRACT_MEMORY_MS = 60000 }; /* how long a contract's yes to a delegation holds */

struct check {
    struct signed_fetch *f;
    const struct signed_fetch_request *in;
    const struct signed_fetch_rules *rules;
    struct link_cache *cache;
    struct arena *arena;
    size_t bytes;                    /* of the headers read so far */
    struct text timestamp, metadata; /* the headers; empty when absent */
};

static bool refuse(struct check *c, int status, const char *fmt, ...) LL_PRINTF(3, 4);

/* Returns false, for the caller to return. */
static bool refuse(struct check *c, int status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    c->f->message = text_of(arena_vprintf(c->arena, fmt, args));
    va_end(args);
    c->f->state = SIGNED_FETCH_REFUSED;
    c->f->status = status;
    return false;
}

static struct text echo(const struct check *c, struct text t)
{
    return metadata_echo(t, SIGNED_FETCH_ECHO, c->arena);
}

/* ---- headers ---- */

/* Browsers and Node send the characters up to U+00FF as one byte each, and sign their
 * UTF-8. Other clients send UTF-8, which Latin-1 text hardly ever happens to be. */
static struct text to_utf8(struct text t, struct arena *arena)
{
    char *out;
    size_t n = 0;

    if (text_is_utf8(t)) return t;
    out = arena_alloc(arena, 2 * t.len);
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];

        if (c < 0x80) {
            out[n++] = (char)c;
        } else {
            out[n++] = (char)(0xc0 | c >> 6);
            out[n++] = (char)(0x80 | (c & 0x3f));
        }
    }
    return (struct text){out, n};
}

/* False when it is absent, or once the headers are too large; the caller of the last
 * header asks is_too_large(). */
static bool header(struct check *c, const char *name, struct text *out)
{
    struct text raw;

    *out = TEXT("");
    if (!c->in->header(c->in->context, name, &raw)) return false;
    c->bytes += raw.len;
    if (c->bytes > SIGNED_FETCH_BYTES) return false;
    *out = to_utf8(raw, c->arena);
    return true;
}

static bool link_header(struct check *c, size_t i, struct text *out)
{
    char name[40];

    snprintf(name, sizeof(name), "x-identity-auth-chain-%zu", i);
    return header(c, name, out) && out->len > 0;
}

static bool check_size(struct check *c)
{
    if (c->bytes <= SIGNED_FETCH_BYTES) return true;
    return refuse(c, 400, "Invalid chain format: the headers are larger than %d bytes",
                  SIGNED_FETCH_BYTES);
}

/* ---- the chain ---- */

static bool take_link(struct check *c, size_t i, struct text t)
{
    struct signed_fetch *f = c->f;
    struct ll_error err;

    if (json_parse(t, JSON_DEPTH, &f->links[i], &err) != LL_OK) {
        struct text why = echo(c, text_of(err.text));

        return refuse(c, 400, "Invalid chain format: %.*s", TEXT_ARGS(why));
    }
    if (!json_is_string(json_object_get(f->links[i], "signature")) ||
        auth_link_parse(f->links[i], &f->chain.links[i], NULL) != LL_OK)
        return refuse(c, 400, "Invalid chain format: malformed auth link at position %zu",
                      i);
    f->chain.count = i + 1;
    return true;
}

static bool take_chain(struct check *c)
{
    struct text t;

    for (size_t i = 0; i < AUTH_CHAIN_LINKS && link_header(c, i, &t); i++)
        if (!take_link(c, i, t)) return false;
    if (link_header(c, AUTH_CHAIN_LINKS, &t))
        return refuse(c, 400, "Auth chain exceeds maximum length of %d",
                      AUTH_CHAIN_LINKS);
    if (!check_size(c)) return false;
    if (c->f->chain.count < 2) return refuse(c, 400, "Invalid Auth Chain");
    return true;
}

/* ---- the timestamp ---- */

/* Digits with a point, sign and exponent as JavaScript's Number() takes them, blanks
 * around them too, but no other base. */
static bool parse_number(struct text t, double *out)
{
    char digits[64], *end;

    while (t.len > 0 && t.ptr[0] == ' ') t = (struct text){t.ptr + 1, t.len - 1};
    while (t.len > 0 && t.ptr[t.len - 1] == ' ') t.len--;
    if (t.len >= sizeof(digits)) return false;
    for (size_t i = 0; i < t.len; i++)
        if (strchr("0123456789.+-eE", t.ptr[i]) == NULL || t.ptr[i] == '\0') return false;
    memcpy(digits, t.ptr, t.len);
    digits[t.len] = '\0';
    *out = t.len == 0 ? 0 : strtod(digits, &end);
    return t.len == 0 || (*end == '\0' && isfinite(*out));
}

static const char *print_number(const struct check *c, double n)
{
    if (fabs(n) < 1e15 && n == floor(n))
        return arena_printf(c->arena, "%" PRId64, (int64_t)n);
    return arena_printf(c->arena, "%.17g", n);
}

static bool take_timestamp(struct check *c)
{
    double now = (double)c->in->now_ms, window = (double)c->rules->window_ms, t = 0;

    header(c, "x-identity-timestamp", &c->timestamp);
    if (!check_size(c)) return false;
    if (!parse_number(c->timestamp, &t)) {
        struct text given = echo(c, c->timestamp);

        return refuse(c, 400, "Invalid chain timestamp: %.*s", TEXT_ARGS(given));
    }
    if (t + window < now)
        return refuse(c, 401,
                      "Expired signature: signature timestamp: %s, timestamp expiration: "
                      "%s, local timestamp: %" PRId64,
                      print_number(c, t), print_number(c, t + window), c->in->now_ms);
    if (t > now + window)
        return refuse(c, 401,
                      "Signature timestamp is too far in the future: signature "
                      "timestamp: %s, local timestamp: %" PRId64,
                      print_number(c, t), c->in->now_ms);
    c->f->timestamp = (int64_t)t;
    return true;
}

/* ---- metadata ---- */

static bool refuse_metadata(struct check *c)
{
    char *json = json_dumps(c->f->metadata, JSON_COMPACT);
    struct text given = echo(c, text_of(json));

    refuse(c, 400, "Invalid metadata content: %.*s", TEXT_ARGS(given));
    free(json);
    return false;
}

static bool take_metadata(struct check *c)
{
    json_t *value = NULL;

    if (!header(c, "x-identity-metadata", &c->metadata)) {
        if (!check_size(c)) return false;
        value = json_object();
    } else if (json_parse(c->metadata, JSON_DEPTH, &value, NULL) == LL_OK &&
               json_is_null(value)) {
        json_decref(value);
        value = json_object();
    }
    if (!json_is_object(value)) {
        struct text given = echo(c, c->metadata);

        json_decref(value);
        return refuse(c, 400, "Invalid chain metadata: \"%.*s\"", TEXT_ARGS(given));
    }
    c->f->metadata = value;
    if (c->rules->accepts_metadata != NULL && !c->rules->accepts_metadata(value))
        return refuse_metadata(c);
    return true;
}

/* ---- the signature ---- */

static struct text payload(const struct check *c, bool legacy)
{
    struct builder b;
    struct text t;

    builder_init(&b, SIZE_MAX / 4);
    signed_fetch_payload(c->in->method, c->in->path, c->timestamp, c->metadata, legacy,
                         &b);
    t = arena_text(c->arena, builder_view(&b));
    builder_fini(&b);
    return t;
}

static struct text owner_address(const struct check *c)
{
    struct text address = arena_text(c->arena, auth_chain_owner(&c->f->chain));
    char *s = (char *)(uintptr_t)address.ptr;

    for (size_t i = 0; i < address.len; i++)
        if (s[i] >= 'A' && s[i] <= 'Z') s[i] = (char)(s[i] - 'A' + 'a');
    return address;
}

static void accept(struct check *c, struct text signed_payload)
{
    struct signed_fetch *f = c->f;

    f->payload = signed_payload;
    f->address = owner_address(c);
    json_member_text(f->metadata, "signer", &f->signer);
    f->state = f->verdict.question_count > 0 ? SIGNED_FETCH_ASK : SIGNED_FETCH_OK;
    f->status = 200;
}

/* The links are followed once: only what the chain must end in differs between the two
 * forms. The older one is looked at only after a mismatch, behind its guard. */
static bool check_signature(struct check *c)
{
    struct auth_verdict *v = &c->f->verdict;
    struct text current = payload(c, false), message;
    struct ll_error err;

    auth_chain_walk(&c->f->chain, c->in->now_ms, c->cache, c->arena, v);
    if (v->ok && text_equal(v->authority, current)) {
        accept(c, current);
        return true;
    }
    if (c->rules->metadata_keys != NULL) {
        struct text legacy = payload(c, true);

        if (metadata_check_keys(c->f->metadata, c->rules->metadata_keys, &err) != LL_OK)
            return refuse(c, 400, "Invalid chain metadata: %s", err.text);
        if (v->ok && text_equal(v->authority, legacy)) {
            accept(c, legacy);
            return true;
        }
    }
    message = v->ok ? auth_chain_authority_message(current, v->authority, c->arena)
                    : v->message;
    return refuse(c, 401, "Invalid signature: %.*s", TEXT_ARGS(message));
}

void signed_fetch_check(struct signed_fetch *out, const struct signed_fetch_request *in,
                        const struct signed_fetch_rules *rules, struct link_cache *cache,
                        struct arena *arena)
{
    struct check c = {.f = out, .in = in, .rules = rules, .cache = cache, .arena = arena};

    *out = (struct signed_fetch){.message = TEXT(""),
                                 .address = TEXT(""),
                                 .signer = TEXT(""),
                                 .payload = TEXT(""),
                                 .now_ms = in->now_ms};
    if (take_chain(&c) && take_timestamp(&c) && take_metadata(&c)) check_signature(&c);
}

void signed_fetch_answer(struct signed_fetch *f, const struct contract_answer *answer,
                         struct link_cache *cache, struct arena *arena)
{
    LL_CHECK(f->state == SIGNED_FETCH_ASK);
    if (answer->status == 200) {
        for (size_t i = 0; i < f->verdict.question_count; i++)
            auth_question_remember(&f->verdict.questions[i], cache, f->now_ms,
                                   CONTRACT_MEMORY_MS);
        f->state = SIGNED_FETCH_OK;
        return;
    }
    f->state = SIGNED_FETCH_REFUSED;
    f->status = answer->status;
    if (answer->status == 401)
        f->message =
            text_of(arena_printf(arena, "Invalid signature%s%s",
                                 answer->message[0] ? ": " : "", answer->message));
    else
        f->message = arena_text(arena, text_of(answer->message));
}

void signed_fetch_fini(struct signed_fetch *f)
{
    for (size_t i = 0; i < AUTH_CHAIN_LINKS; i++) json_decref(f->links[i]);
    json_decref(f->metadata);
    *f = (struct signed_fetch){0};
}
