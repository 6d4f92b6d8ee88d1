/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* signed_fetch.c - the checks of a request in the order of the current published
 * middleware (contract auth-chain, 3.3): chain, timestamp, metadata, metadata rule,
 * signature. The first that fails answers. */
#include "core/auth/signed_fetch.h"

#include "core/auth/metadata.h"
#include "core/auth/unicode_lower.h"

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
    struct text raw[AUTH_CHAIN_LINKS];
    size_t raw_count;
    bool is_remembered; /* the first two links are `delegation`, verified before */
    struct delegation delegation;
};

/* Bytes of the character at s; 0 when it is malformed. */
static size_t character_length(const char *s, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (text_is_utf8((struct text){s, n})) return n;
    return 0;
}

/* The parser's message may end in the middle of a character. Messages go into JSON. */
static void repair(char *s)
{
    size_t left = strlen(s);

    while (left > 0) {
        size_t n = character_length(s, left);

        if (n == 0) {
            *s = '?';
            n = 1;
        }
        s += n;
        left -= n;
    }
}

static bool refuse(struct check *c, int status, const char *fmt, ...) LL_PRINTF(3, 4);

/* Returns false, for the caller to return. */
static bool refuse(struct check *c, int status, const char *fmt, ...)
{
    va_list args;
    char *message;

    va_start(args, fmt);
    message = arena_vprintf(c->arena, fmt, args);
    va_end(args);
    repair(message);
    c->f->message = text_of(message);
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

/* Were the first two headers verified before, with these very bytes? Then neither is
 * parsed again: that is a third of what is left to do besides the one recovery. */
static bool recall(struct check *c)
{
    struct signed_fetch *f = c->f;

    if (c->cache == NULL || c->raw_count < 3) return false;
    f->key = link_cache_key(c->cache, c->raw, 2);
    f->has_key = true;
    c->is_remembered = link_cache_has(c->cache, &f->key, f->now_ms, &c->delegation);
    if (!c->is_remembered) return false;
    f->chain.count = 2;
    f->chain.links[0] =
        (struct auth_link){.type = AUTH_SIGNER, .payload = text_of(c->delegation.owner)};
    f->chain.links[1] = (struct auth_link){.type = AUTH_EPHEMERAL};
    return true;
}

static bool take_links(struct check *c, size_t first)
{
    for (size_t i = first; i < c->raw_count; i++)
        if (!take_link(c, i, c->raw[i])) return false;
    return true;
}

static bool take_chain(struct check *c)
{
    struct text t;

    while (c->raw_count < AUTH_CHAIN_LINKS &&
           link_header(c, c->raw_count, &c->raw[c->raw_count]))
        c->raw_count++;
    if (!take_links(c, recall(c) ? 2 : 0)) return false;
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

/* What the second link delegates to, and until when, if it can be remembered. */
static bool delegation_of(const struct signed_fetch *f, struct arena *arena,
                          struct delegation *out, int64_t *until)
{
    const struct auth_link *link = &f->chain.links[1];
    struct text owner = auth_chain_owner(&f->chain);
    struct ephemeral_payload p;

    if (!f->has_key ||
        (link->type != AUTH_EPHEMERAL && link->type != AUTH_CONTRACT_EPHEMERAL) ||
        ephemeral_payload_parse(link->payload, arena, &p, NULL) != LL_OK ||
        owner.len != sizeof(out->owner) - 1 ||
        p.address.len != sizeof(out->ephemeral) - 1)
        return false;
    *out = (struct delegation){0};
    memcpy(out->owner, owner.ptr, owner.len);
    memcpy(out->ephemeral, p.address.ptr, p.address.len);
    *until = p.expiration;
    return true;
}

/* The first two headers were found right: by a key for as long as they say, by a contract
 * for a minute, since it may change its mind. */
static void remember(struct signed_fetch *f, struct link_cache *cache,
                     struct arena *arena)
{
    struct delegation d;
    int64_t until;

    if (cache == NULL || !delegation_of(f, arena, &d, &until)) return;
    if (f->chain.links[1].type == AUTH_CONTRACT_EPHEMERAL &&
        until > f->now_ms + CONTRACT_MEMORY_MS)
        until = f->now_ms + CONTRACT_MEMORY_MS;
    link_cache_put(cache, &f->key, f->now_ms, until, &d);
}

static void accept(struct check *c, struct text signed_payload)
{
    struct signed_fetch *f = c->f;

    f->payload = signed_payload;
    f->address = ascii_lower(auth_chain_owner(&f->chain), c->arena);
    json_member_text(f->metadata, "signer", &f->signer);
    f->state = f->verdict.question_count > 0 ? SIGNED_FETCH_ASK : SIGNED_FETCH_OK;
    f->status = 200;
    if (f->state == SIGNED_FETCH_OK && !c->is_remembered) remember(f, c->cache, c->arena);
}

/* Questions are asked of whole chains, so a remembered start is then read after all. */
static bool walk(struct check *c)
{
    struct signed_fetch *f = c->f;
    struct auth_verdict *v = &f->verdict;

    if (c->is_remembered) {
        auth_chain_walk_on(&f->chain, 2, text_of(c->delegation.ephemeral), f->now_ms,
                           NULL, c->arena, v);
        if (v->question_count == 0) return true;
        c->is_remembered = false;
        for (size_t i = 0; i < 2; i++)
            if (!take_link(c, i, c->raw[i])) return false;
        f->chain.count = c->raw_count;
    }
    auth_chain_walk(&f->chain, f->now_ms, NULL, c->arena, v);
    return true;
}

/* The links are followed once: only what the chain must end in differs between the two
 * forms. The older one is looked at only after a mismatch, behind its guard. */
static bool check_signature(struct check *c)
{
    struct auth_verdict *v = &c->f->verdict;
    struct text current = payload(c, false), message;
    struct ll_error err;

    if (!walk(c)) return false;
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
    char *message;

    LL_CHECK(f->state == SIGNED_FETCH_ASK);
    if (answer->status == 200) {
        remember(f, cache, arena);
        f->state = SIGNED_FETCH_OK;
        return;
    }
    f->state = SIGNED_FETCH_REFUSED;
    f->status = answer->status;
    message = arena_printf(
        arena, "%s%s%s", answer->status == 401 ? "Invalid signature" : "",
        answer->status == 401 && answer->message[0] ? ": " : "", answer->message);
    repair(message);
    f->message = text_of(message);
}

void signed_fetch_fini(struct signed_fetch *f)
{
    for (size_t i = 0; i < AUTH_CHAIN_LINKS; i++) json_decref(f->links[i]);
    json_decref(f->metadata);
    *f = (struct signed_fetch){0};
}
