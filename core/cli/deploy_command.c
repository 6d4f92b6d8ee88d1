/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* deploy_command.c - `landlog deploy`: makes an entity of a wallet's, signs it, and sends
 * it with its files to a content server, so that every type can be tried from a shell. */
#include "core/cli/command.h"
#include "core/cli/wallet_file.h"
#include "core/base/clock.h"
#include "core/blob/cid.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    METADATA_BYTES = 16 * 1024 * 1024,
    ENTITY_BYTES = 2 * METADATA_BYTES,
    EXIT_REFUSED = 22, /* as curl --fail */
    DAY_MS = 86400000
};

static const struct command_option options[] = {
    {"wallet", "FILE", "the wallet that deploys", 'w'},
    {"metadata", "JSON", "the entity's metadata", 'm'},
    {"metadata-file", "FILE", "the entity's metadata, from a file", 0},
    {"content", "NAME=FILE", "a file of the entity's, under this name; may be repeated",
     'c'},
    {"timestamp", "MS", "when the entity was made (default now)", 0},
    {"include", NULL, "print the answer's status and headers before its body", 'i'},
    {"dry-run", NULL, "print the entity file and send nothing", 0},
    {"forge", NULL, "spoil the signature before sending, to see it refused", 0},
    {"timeout", "SECONDS", "give up after so long (default 600)", 0},
    {0},
};

struct deployment {
    const struct command_line *line;
    const char *type, *server;
    struct builder entity;
    struct cids id;
    char *chain; /* JSON */
    curl_mime *form;
    CURL *curl;
};

/* ---- the entity ---- */

static void hash_file(const char *path, struct cids *out)
{
    FILE *f = fopen(path, "re");
    struct cid_hasher *hasher = cid_hasher_new();
    char chunk[65536];
    size_t n;

    if (f == NULL) die("cannot open %s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) cid_hasher_add(hasher, chunk, n);
    if (ferror(f)) die("cannot read %s", path);
    cid_hasher_finish(hasher, out);
    cid_hasher_free(hasher);
    fclose(f);
}

/* "NAME=FILE" cut at its first `=`; returns the file, the name's length in `n`. */
static const char *content_file(const char *given, size_t *n)
{
    const char *equals = strchr(given, '=');

    if (equals == NULL || equals == given || equals[1] == '\0')
        die_usage("--content wants NAME=FILE, not \"%s\"", given);
    *n = (size_t)(equals - given);
    return equals + 1;
}

static void add_content(struct deployment *d)
{
    const char *given, *comma = "";

    builder_string(&d->entity, ",\"content\":[");
    for (size_t i = 0; (given = command_option_at(d->line, "content", i)) != NULL; i++) {
        struct cids cids;
        size_t n;

        hash_file(content_file(given, &n), &cids);
        builder_printf(&d->entity, "%s{\"file\":", comma);
        builder_json_string(&d->entity, (struct text){given, n});
        builder_printf(&d->entity, ",\"hash\":\"%s\"}", cids.v1);
        comma = ",";
    }
    builder_string(&d->entity, "]");
}

static char *read_metadata(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = ll_malloc(METADATA_BYTES + 1);
    size_t n;

    if (f == NULL) die("cannot open %s", path);
    n = fread(text, 1, METADATA_BYTES + 1, f);
    if (ferror(f)) die("cannot read %s", path);
    if (n > METADATA_BYTES) die("%s is larger than %d bytes", path, METADATA_BYTES);
    fclose(f);
    text[n] = '\0';
    return text;
}

/* The metadata goes in as it was written; that it is an object is checked. */
static void add_metadata(struct deployment *d)
{
    const char *given = command_option(d->line, "metadata");
    const char *path = command_option(d->line, "metadata-file");
    char *text;
    json_error_t why;
    json_t *parsed;

    if (given != NULL && path != NULL)
        die_usage("give --metadata or --metadata-file, not both");
    text = path != NULL ? read_metadata(path) : strdup(given != NULL ? given : "{}");
    LL_CHECK(text != NULL);
    parsed = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(parsed))
        die("the metadata is no JSON object%s%s", parsed == NULL ? ": " : "",
            parsed == NULL ? why.text : "");
    json_decref(parsed);
    for (size_t n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]);)
        text[--n] = '\0'; /* a file's last newline is none of the entity's */
    builder_printf(&d->entity, ",\"metadata\":%s}", text);
    free(text);
}

/* Members in the order in which published clients write them. */
static void make_entity(struct deployment *d)
{
    uint64_t timestamp =
        command_option_u64(d->line, "timestamp", 0, INT64_MAX, (uint64_t)clock_now_ms());

    builder_init(&d->entity, ENTITY_BYTES);
    builder_printf(&d->entity, "{\"version\":\"v3\",\"type\":\"%s\",\"pointers\":[",
                   d->type);
    for (size_t i = 2; i < d->line->argument_count; i++) {
        if (i > 2) builder_string(&d->entity, ",");
        builder_json_string(&d->entity, text_of(d->line->arguments[i]));
    }
    builder_printf(&d->entity, "],\"timestamp\":%llu", (unsigned long long)timestamp);
    add_content(d);
    add_metadata(d);
    if (d->entity.full) die("the entity is larger than %d bytes", ENTITY_BYTES);
    cids_of(builder_view(&d->entity), &d->id);
}

/* ---- the signature ---- */

static void sign(struct deployment *d)
{
    const char *wallet = command_option(d->line, "wallet");
    struct identity identity;
    struct ll_error err;
    json_t *chain;

    if (wallet == NULL) die_usage("an entity is signed: give --wallet FILE");
    if (wallet_file_identity(wallet, DAY_MS, false, &identity, &err) != LL_OK)
        die("%s", err.text);
    chain = identity_sign_message(&identity, text_of(d->id.v1));
    if (command_option(d->line, "forge") != NULL) {
        json_t *entity = json_array_get(chain, 2);

        json_object_set(entity, "signature",
                        json_object_get(json_array_get(chain, 1), "signature"));
    }
    d->chain = json_dumps(chain, JSON_COMPACT);
    LL_CHECK(d->chain != NULL);
    json_decref(chain);
}

/* ---- sending ---- */

static curl_mimepart *add_part(struct deployment *d, const char *name)
{
    curl_mimepart *part = curl_mime_addpart(d->form);

    LL_CHECK(part != NULL && curl_mime_name(part, name) == CURLE_OK);
    return part;
}

static void add_field(struct deployment *d, const char *name, const char *value)
{
    LL_CHECK(curl_mime_data(add_part(d, name), value, CURL_ZERO_TERMINATED) == CURLE_OK);
}

/* Each file once, though two names may have the same bytes. */
static void add_files(struct deployment *d)
{
    struct text entity = builder_view(&d->entity);
    curl_mimepart *part = add_part(d, d->id.v1);
    const char *given;

    curl_mime_data(part, entity.ptr, entity.len);
    curl_mime_filename(part, d->id.v1);
    for (size_t i = 0; (given = command_option_at(d->line, "content", i)) != NULL; i++) {
        struct cids cids;
        size_t n;
        const char *path = content_file(given, &n);

        hash_file(path, &cids);
        part = add_part(d, cids.v1);
        if (curl_mime_filedata(part, path) != CURLE_OK) die("cannot read %s", path);
        curl_mime_filename(part, cids.v1);
    }
}

static void make_form(struct deployment *d)
{
    d->form = curl_mime_init(d->curl);
    LL_CHECK(d->form != NULL);
    add_field(d, "entityId", d->id.v1);
    add_field(d, "authChain", d->chain);
    add_files(d);
}

static long send_form(struct deployment *d)
{
    uint64_t seconds = command_option_u64(d->line, "timeout", 1, 86400, 600);
    size_t n = strlen(d->server);
    char why[CURL_ERROR_SIZE] = "", *url;
    struct builder b;
    long status = 0;
    CURLcode code;

    while (n > 0 && d->server[n - 1] == '/') n--;
    builder_init(&b, 4096);
    builder_printf(&b, "%.*s/entities", (int)n, d->server);
    if (b.full) die_usage("the server's URL is too long");
    url = strndup(builder_view(&b).ptr, builder_view(&b).len);
    LL_CHECK(url != NULL);
    curl_easy_setopt(d->curl, CURLOPT_URL, url);
    curl_easy_setopt(d->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(d->curl, CURLOPT_MIMEPOST, d->form);
    curl_easy_setopt(d->curl, CURLOPT_TIMEOUT, (long)seconds);
    curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(d->curl, CURLOPT_ERRORBUFFER, why);
    if (command_option(d->line, "include") != NULL)
        curl_easy_setopt(d->curl, CURLOPT_HEADER, 1L);
    code = curl_easy_perform(d->curl);
    if (code != CURLE_OK) die("%s: %s", url, why[0] ? why : curl_easy_strerror(code));
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    builder_fini(&b);
    free(url);
    return status;
}

static int deploy_run(const struct command_line *line)
{
    static const char *const types[] = {"scene", "profile", "wearable",
                                        "emote", "store",   "outfits"};
    struct deployment d = {
        .line = line, .type = line->arguments[0], .server = line->arguments[1]};
    bool is_known = false;
    long status = 0;

    for (size_t i = 0; i < LL_LENGTH(types); i++)
        if (strcmp(d.type, types[i]) == 0) is_known = true;
    if (!is_known)
        die_usage("\"%s\" is no entity type: scene, profile, wearable, emote, store,"
                  " outfits",
                  d.type);
    make_entity(&d);
    if (command_option(line, "dry-run") != NULL) {
        printf("%.*s\n", TEXT_ARGS(builder_view(&d.entity)));
    } else {
        sign(&d);
        fprintf(stderr, "entity %s\n", d.id.v1);
        d.curl = curl_easy_init();
        LL_CHECK(d.curl != NULL);
        make_form(&d);
        status = send_form(&d);
        if (isatty(STDOUT_FILENO)) putchar('\n');
        if (fflush(stdout) != 0) die("cannot write the answer");
        curl_mime_free(d.form);
        curl_easy_cleanup(d.curl);
        free(d.chain);
    }
    builder_fini(&d.entity);
    return status >= 400 ? EXIT_REFUSED : 0;
}

const struct command deploy_command = {
    .name = "deploy",
    .summary = "make, sign and send an entity to a content server",
    .arguments = "TYPE SERVER POINTER...",
    .help =
        "TYPE is scene, profile, wearable, emote, store or outfits; SERVER the content\n"
        "server's URL. The entity's id goes to the standard error, the answer's body "
        "to\n"
        "the standard output.\n"
        "\n"
        "Exit status: 0, 22 when the answer's status is 400 or more, 1 when there was "
        "none.\n"
        "\n"
        "  landlog deploy scene http://127.0.0.1:8080/content 0,0 --wallet a.json \\\n"
        "    --content game.js=bin/game.js --metadata-file scene.json",
    .least = 3,
    .most = 1000,
    .options = options,
    .run = deploy_run,
};
