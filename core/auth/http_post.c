/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_post.c - see http_post.h. */
#include "core/auth/http_post.h"

#include "core/base/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

void http_post_init(struct http_post *p, unsigned call_ms, unsigned total_ms, size_t most)
{
    *p = (struct http_post){.curl = curl_easy_init(),
                            .call_ms = call_ms,
                            .end_us = clock_monotonic_us() + (int64_t)total_ms * 1000};
    LL_CHECK(p->curl != NULL);
    builder_init(&p->answer, most);
}

void http_post_fini(struct http_post *p)
{
    curl_easy_cleanup(p->curl);
    builder_fini(&p->answer);
}

/* curl's write callback; taking less than was given ends the transfer. */
static size_t take(char *bytes, size_t size, size_t n, void *builder)
{
    struct builder *b = builder;

    builder_add(b, bytes, size * n);
    return b->full ? 0 : size * n;
}

static struct curl_slist *json_headers(void)
{
    static const char *const lines[] = {"Content-Type: application/json",
                                        "Accept: application/json",
                                        "Expect:"}; /* no waiting for a 100 */
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < LL_LENGTH(lines); i++) {
        list = curl_slist_append(list, lines[i]);
        LL_CHECK(list != NULL);
    }
    return list;
}

/* NULL when the time is up. */
static CURL *prepare(struct http_post *p, const char *url, struct text body,
                     struct curl_slist *headers)
{
    int64_t left = (p->end_us - clock_monotonic_us()) / 1000;
    CURL *curl = p->curl;

    if (left <= 0) return NULL;
    if (left > p->call_ms) left = p->call_ms;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.ptr);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* other threads are running */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &p->answer);
    return curl;
}

ll_rc http_post(struct http_post *p, const char *url, struct text body, long *status,
                struct ll_error *err)
{
    struct curl_slist *headers = json_headers();
    CURLcode code = CURLE_OPERATION_TIMEDOUT;
    CURL *curl;

    builder_reset(&p->answer);
    curl = prepare(p, url, body, headers);
    if (curl != NULL) {
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    }
    curl_slist_free_all(headers);
    if (code == CURLE_OK) return LL_OK;
    if (p->answer.full)
        return ll_fail(err, LL_ESYSTEM, "the answer is larger than %zu bytes",
                       p->answer.maximum);
    return ll_fail(err, code == CURLE_OPERATION_TIMEDOUT ? LL_ETIMEOUT : LL_ESYSTEM, "%s",
                   curl_easy_strerror(code));
}

struct text http_post_answer(const struct http_post *p)
{
    return builder_view(&p->answer);
}

static bool print_origin(CURLU *parts, char out[HTTP_ORIGIN])
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    int n = 0;

    if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)) {
        bool has_port = curl_url_get(parts, CURLUPART_PORT, &port, 0) == CURLUE_OK;

        n = snprintf(out, HTTP_ORIGIN, "%s://%s%s%s", scheme, host, has_port ? ":" : "",
                     has_port ? port : "");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return n > 0 && n < HTTP_ORIGIN;
}

bool http_origin(const char *url, char out[HTTP_ORIGIN])
{
    CURLU *parts = curl_url();
    bool ok;

    LL_CHECK(parts != NULL);
    ok = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
         print_origin(parts, out);
    curl_url_cleanup(parts);
    return ok;
}
