/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* client.c - see client.h. */
#include "client.h"

#include "core/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { BODY = 4 * 1024 * 1024, HOUR_MS = 3600 * 1000 };

void person_new(struct person *p)
{
    ethereum_key_new(&p->key);
    identity_new(&p->identity, &p->key, clock_now_ms() + HOUR_MS);
    ethereum_address_print(&p->key.address, p->address);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct client *c = context;

    builder_add(&c->body, bytes, size * n);
    return size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *context)
{
    static const char name[] = "Landlog-Position: ";
    struct client *c = context;
    size_t len = size * n;

    if (len > sizeof(name) && strncasecmp(bytes, name, sizeof(name) - 1) == 0)
        snprintf(c->position, sizeof(c->position), "%.*s", (int)(len - sizeof(name) - 1),
                 bytes + sizeof(name) - 1);
    return len;
}

void client_init(struct client *c, const char *url)
{
    *c = (struct client){.curl = curl_easy_init(), .url = url};
    builder_init(&c->body, BODY);
    LL_CHECK(c->curl != NULL);
}

void client_fini(struct client *c)
{
    curl_easy_cleanup(c->curl);
    builder_fini(&c->body);
}

static void add_header(void *context, const char *name, struct text value)
{
    struct curl_slist **headers = context;
    struct builder line;

    builder_init(&line, 64 * 1024);
    builder_printf(&line, "%s: %.*s", name, TEXT_ARGS(value));
    *headers = curl_slist_append(*headers, builder_view(&line).ptr);
    builder_fini(&line);
}

static void add_bearer(struct curl_slist **headers, const char *token)
{
    char value[256];

    snprintf(value, sizeof(value), "Bearer %s", token);
    add_header(headers, "Authorization", text_of(value));
}

/* Headers of the older form: what was signed is not what is sent. */
struct legacy {
    struct curl_slist **headers;
    struct text metadata;
};

static void add_legacy(void *context, const char *name, struct text value)
{
    struct legacy *l = context;

    add_header(l->headers, name,
               strcasecmp(name, "x-identity-metadata") == 0 ? l->metadata : value);
}

static void sign_legacy(const struct client_request *q, struct text path,
                        struct curl_slist **headers)
{
    struct legacy l = {headers, text_of(q->metadata)};
    struct builder lower;

    builder_init(&lower, 64 * 1024);
    for (size_t i = 0; i < l.metadata.len; i++)
        builder_char(&lower, (char)tolower((unsigned char)l.metadata.ptr[i]));
    identity_sign_request(&q->who->identity, text_of(q->method), path,
                          clock_now_ms() + q->skew_ms, builder_view(&lower), add_legacy,
                          &l);
    builder_fini(&lower);
}

static void sign(const struct client_request *q, struct curl_slist **headers)
{
    struct text path = text_of(q->path), rest = path;

    text_cut(&rest, '?', &path);
    if (q->is_legacy) {
        sign_legacy(q, path, headers);
        return;
    }
    identity_sign_request(
        &q->who->identity, text_of(q->method), q->forged ? TEXT("/elsewhere") : path,
        clock_now_ms() + q->skew_ms, text_of(q->metadata != NULL ? q->metadata : "{}"),
        add_header, headers);
}

/* What is the same of every request; the rest is set already. */
static long perform(struct client *c, const char *path)
{
    char url[4096];
    long status = 0;

    snprintf(url, sizeof(url), "%s%s", c->url, path);
    builder_reset(&c->body);
    c->position[0] = '\0';
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    if (curl_easy_perform(c->curl) == CURLE_OK)
        curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

long client_send(struct client *c, const struct client_request *q)
{
    struct curl_slist *headers = NULL;
    long status;

    if (q->who != NULL) sign(q, &headers);
    if (q->key != NULL) add_header(&headers, "Idempotency-Key", text_of(q->key));
    if (q->position != NULL)
        add_header(&headers, "Landlog-Position", text_of(q->position));
    if (q->type != NULL) add_header(&headers, "Content-Type", text_of(q->type));
    if (q->bearer != NULL) add_bearer(&headers, q->bearer);
    add_header(&headers, "Expect", TEXT(""));

    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    if (q->body != NULL) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, q->body);
    status = perform(c, q->path);
    curl_slist_free_all(headers);
    return status;
}

long client_send_form(struct client *c, const char *path, curl_mime *form)
{
    struct curl_slist *headers = NULL;
    long status;

    add_header(&headers, "Expect", TEXT(""));
    curl_easy_setopt(c->curl, CURLOPT_MIMEPOST, form);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    status = perform(c, path);
    curl_slist_free_all(headers);
    return status;
}

long client_get(struct client *c, const char *path)
{
    return client_send(c, &(struct client_request){.method = "GET", .path = path});
}
