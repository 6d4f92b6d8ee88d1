/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* request_command.c - `landlog request`: curl with the signature of ADR-44, so that every
 * endpoint can be tried from a shell. */
#include "core/cli/command.h"
#include "core/cli/wallet_file.h"
#include "core/base/clock.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BODY_BYTES = 256 * 1024 * 1024,
    EXIT_REFUSED = 22 /* as curl --fail */
};

static const struct command_option options[] = {
    {"wallet", "FILE", "sign with this wallet; without it the request is not signed",
     'w'},
    {"metadata", "JSON", "the signed metadata (default {})", 'm'},
    {"header", "LINE", "send this header, \"Name: value\"; may be repeated", 'H'},
    {"body-file", "FILE", "send this file's bytes; - is the standard input", 'f'},
    {"include", NULL, "print the answer's status and headers before its body", 'i'},
    {"show", NULL, "print the signed headers on the standard error", 's'},
    {"repeat", "TIMES", "send the very same request so many times", 0},
    {"forge", NULL, "spoil the signature before sending, to see it refused", 0},
    {"expires", "DURATION",
     "how long a new identity is valid (90s, 5m, 12h, 30d; default 1d)", 0},
    {"timeout", "SECONDS", "give up after so long (default 60)", 0},
    {0},
};

struct request {
    const struct command_line *line;
    CURL *curl;
    CURLU *url;
    struct curl_slist *headers;
    struct builder body;
    bool has_body, has_type;
    char method[16];
    char *path;
};

/* ---- what to send ---- */

static void add_line(struct request *r, const char *header)
{
    r->headers = curl_slist_append(r->headers, header);
    LL_CHECK(r->headers != NULL);
}

static void read_body(struct request *r, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char chunk[16384];
    size_t n;

    if (f == NULL) die("cannot open %s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) builder_add(&r->body, chunk, n);
    if (ferror(f)) die("cannot read %s", path);
    if (r->body.full) die("%s is larger than %d bytes", path, BODY_BYTES);
    if (f != stdin) fclose(f);
}

static void take_body(struct request *r)
{
    const char *file = command_option(r->line, "body-file");
    bool has_argument = r->line->argument_count == 3;

    builder_init(&r->body, BODY_BYTES);
    if (file != NULL && has_argument) die_usage("give BODY or --body-file, not both");
    if (file != NULL) read_body(r, file);
    if (has_argument) builder_string(&r->body, r->line->arguments[2]);
    r->has_body = file != NULL || has_argument;
}

static void take_method(struct request *r)
{
    const char *given = r->line->arguments[0];
    size_t n = strlen(given);

    if (n == 0 || n >= sizeof(r->method)) die_usage("\"%s\" is no method", given);
    for (size_t i = 0; i < n; i++) {
        if (!isalpha((unsigned char)given[i])) die_usage("\"%s\" is no method", given);
        r->method[i] = (char)toupper((unsigned char)given[i]);
    }
}

/* The path is signed and sent as it was written: no dots are resolved. */
static void take_url(struct request *r)
{
    const char *given = r->line->arguments[1];

    r->url = curl_url();
    LL_CHECK(r->url != NULL);
    if (curl_url_set(r->url, CURLUPART_URL, given, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_get(r->url, CURLUPART_PATH, &r->path, 0) != CURLUE_OK)
        die_usage("\"%s\" is no URL", given);
}

static void take_headers(struct request *r)
{
    const char *line;

    for (size_t i = 0; (line = command_option_at(r->line, "header", i)) != NULL; i++) {
        if (strchr(line, ':') == NULL || strpbrk(line, "\r\n") != NULL)
            die_usage("--header wants one line \"Name: value\", not \"%s\"", line);
        if (strncasecmp(line, "content-type:", 13) == 0) r->has_type = true;
        add_line(r, line);
    }
    if (r->has_body && !r->has_type) add_line(r, "Content-Type: application/json");
    add_line(r, "Expect:"); /* no waiting for a 100 */
}

/* ---- the signature ---- */

static void take_identity(const struct command_line *line, const char *path,
                          struct identity *out)
{
    const char *expires = command_option(line, "expires");
    int64_t ms = INT64_C(86400000);
    struct ll_error err;

    if (expires != NULL && !wallet_duration_parse(expires, &ms))
        die_usage("--expires wants a duration such as 12h or 30d, not \"%s\"", expires);
    if (wallet_file_identity(path, ms, expires != NULL, out, &err) != LL_OK)
        die("%s", err.text);
}

/* Another digit in the middle of the last link's signature. */
static void spoil(char *link)
{
    char *digit = strstr(link, "\"signature\":\"0x");

    LL_CHECK(digit != NULL);
    digit += strlen("\"signature\":\"0x") + 100;
    *digit = *digit == '0' ? '1' : '0';
}

static void add_signed(void *context, const char *name, struct text value)
{
    struct request *r = context;
    size_t n = strlen(name) + value.len + 3;
    char *line = ll_malloc(n);

    snprintf(line, n, "%s: %.*s", name, TEXT_ARGS(value));
    if (command_option(r->line, "forge") != NULL &&
        strcmp(name, "x-identity-auth-chain-2") == 0)
        spoil(line);
    if (command_option(r->line, "show") != NULL) fprintf(stderr, "%s\n", line);
    add_line(r, line);
    free(line);
}

static void sign(struct request *r)
{
    const char *wallet = command_option(r->line, "wallet");
    const char *metadata = command_option(r->line, "metadata");
    struct identity identity;

    if (wallet == NULL) {
        if (metadata != NULL || command_option(r->line, "forge") != NULL)
            die_usage("--metadata and --forge need --wallet");
        return;
    }
    if (metadata == NULL) metadata = "{}";
    if (strpbrk(metadata, "\r\n") != NULL) die_usage("--metadata must be one line");
    take_identity(r->line, wallet, &identity);
    identity_sign_request(&identity, text_of(r->method), text_of(r->path), clock_now_ms(),
                          text_of(metadata), add_signed, r);
}

/* ---- sending ---- */

static void prepare(struct request *r)
{
    uint64_t seconds = command_option_u64(r->line, "timeout", 1, 86400, 60);
    struct text body = builder_view(&r->body);

    curl_easy_setopt(r->curl, CURLOPT_CURLU, r->url);
    curl_easy_setopt(r->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(r->curl, CURLOPT_TIMEOUT, (long)seconds);
    curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
    if (r->has_body) {
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body.ptr);
    }
    if (strcmp(r->method, "HEAD") == 0) curl_easy_setopt(r->curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, r->method);
    if (command_option(r->line, "include") != NULL)
        curl_easy_setopt(r->curl, CURLOPT_HEADER, 1L);
}

/* The answer goes to the standard output; its status is returned. */
static long send_once(struct request *r)
{
    char why[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode code;

    curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, why);
    code = curl_easy_perform(r->curl);
    curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK)
        die("%s: %s", r->line->arguments[1], why[0] ? why : curl_easy_strerror(code));
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (isatty(STDOUT_FILENO)) putchar('\n');
    if (fflush(stdout) != 0) die("cannot write the answer");
    return status;
}

static int request_run(const struct command_line *line)
{
    uint64_t times = command_option_u64(line, "repeat", 1, 1000, 1);
    struct request r = {.line = line, .curl = curl_easy_init()};
    long worst = 0;

    LL_CHECK(r.curl != NULL);
    take_method(&r);
    take_url(&r);
    take_body(&r);
    take_headers(&r);
    sign(&r);
    prepare(&r);
    while (times-- > 0) {
        long status = send_once(&r);

        if (status > worst) worst = status;
    }
    curl_easy_cleanup(r.curl);
    curl_slist_free_all(r.headers);
    curl_free(r.path);
    curl_url_cleanup(r.url);
    builder_fini(&r.body);
    return worst >= 400 ? EXIT_REFUSED : 0;
}

const struct command request_command = {
    .name = "request",
    .summary = "send an HTTP request signed by a wallet (ADR-44 signed fetch)",
    .arguments = "METHOD URL [BODY]",
    .help =
        "The wallet (see `landlog wallet`) vouches for an ephemeral key, which is kept "
        "in\n"
        "its file until it expires; that key signs method, path, time and metadata. The\n"
        "query and the body are not signed. The answer's body goes to the standard "
        "output.\n"
        "\n"
        "Exit status: 0, 22 when an answer's status is 400 or more, 1 when there was "
        "none.\n"
        "\n"
        "  landlog wallet new a.json\n"
        "  landlog request --wallet a.json GET http://127.0.0.1:8080/social/v1/friends",
    .least = 2,
    .most = 3,
    .options = options,
    .run = request_run,
};
