/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* upload.c - see upload.h. */
#include "core/http/upload.h"

#include "core/base/clock.h"
#include "core/base/note.h"
#include "core/http/connection.h"
#include "core/http/form.h"
#include "core/net/fiber.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_MS = 30000, /* to begin with, and then a second more for each RATE bytes */
    RATE = 16 * 1024
};

static const char malformed[] = "Invalid multipart/form-data request";

struct upload {
    struct http_request *request;
    struct http_upload limits;
    struct multipart parser;
    struct form *form;
    char hash[CID_TEXT]; /* of the whole form */

    /* The loop's: */
    struct builder filling;
    uint64_t taken; /* bytes of the body so far */
    int64_t began_us;
    bool is_complete, is_ended;
    int failed; /* a status; 0: not */
    char why[256];
    struct fiber *waiting; /* for the loop to bring something; NULL: it is not */

    /* The fiber's and its job's: */
    struct builder working;
    ll_rc rc;
};

/* ---- limits ---- */

static ll_rc find_limits(const struct settings *s, const char *service,
                         const struct http_upload *fallback, struct http_upload *out,
                         struct ll_error *err)
{
    const struct {
        const char *name;
        uint64_t most, fallback, *out;
    } rows[] = {
        {"upload-total", UINT64_MAX / 2, fallback->total, &out->total},
        {"upload-file-count", 1000000, fallback->file_count, &out->file_count},
        {"upload-file-size", UINT64_MAX / 2, fallback->file_size, &out->file_size},
        {"upload-field-count", 10000, fallback->field_count, &out->field_count},
        {"upload-field-size", 64 << 20, fallback->field_size, &out->field_size},
    };
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < LL_LENGTH(rows) && rc == LL_OK; i++) {
        char name[96];

        snprintf(name, sizeof(name), "%s.%s", service, rows[i].name);
        rc = settings_service_number(s, name, 1, rows[i].most, rows[i].fallback,
                                     rows[i].out, err);
    }
    return rc;
}

ll_rc upload_check_settings(const struct settings *s, const char *service,
                            const struct http_upload *upload, struct ll_error *err)
{
    struct http_upload limits;

    return find_limits(s, service, upload, &limits, err);
}

/* ---- on the loop ---- */

static void refuse_total(struct upload *u)
{
    char why[160];

    snprintf(why, sizeof(why),
             "The request body is too large. The maximum allowed total upload size is "
             "%llu bytes.",
             (unsigned long long)u->limits.total);
    upload_fail(u, 413, why);
}

static struct upload *upload_new(struct http_request *r)
{
    struct upload *u = ll_calloc(1, sizeof(*u));
    struct ll_error err;

    u->request = r;
    u->began_us = clock_monotonic_us();
    builder_init(&u->filling, 2 * UPLOAD_SLICE);
    builder_init(&u->working, 2 * UPLOAD_SLICE);
    LL_CHECK(find_limits(r->server->settings, r->match.service->name,
                         r->match.route->upload, &u->limits, &err) == LL_OK);
    u->form = form_new(&u->limits, r->server->blobs);
    r->server->uploads++;
    return u;
}

static void upload_free(struct upload *u)
{
    form_free(u->form);
    multipart_fini(&u->parser);
    builder_fini(&u->filling);
    builder_fini(&u->working);
    free(u);
}

/* Nothing that a head alone can tell is found out by reading a body. */
static bool check_head(struct upload *u, uint64_t length)
{
    struct http_request *r = u->request;
    ll_rc rc = multipart_init(&u->parser, http_header(r, "content-type"));

    if (rc == LL_ENOTFOUND)
        upload_fail(u, 400, "Invalid request: expected a multipart/form-data body");
    else if (rc != LL_OK)
        upload_fail(u, 400, malformed);
    else if (length != UINT64_MAX && length > u->limits.total)
        refuse_total(u);
    else if (r->server->uploads > UPLOADS_MOST)
        upload_fail(u, 503, "too many uploads at once");
    else if (!blob_store_has_room(r->server->blobs))
        upload_fail(u, 507, "There is no room to store the upload");
    return u->failed == 0;
}

static void refuse_failed(struct upload *u)
{
    request_refuse(u->request,
                   u->failed >= 500 ? HTTP_REFUSED_UNAVAILABLE : HTTP_REFUSED_INPUT,
                   u->failed, "%s", u->why);
}

bool upload_begin(struct http_request *r, uint64_t length)
{
    struct upload *u = upload_new(r);

    if (check_head(u, length)) {
        r->upload = u;
        return true;
    }
    refuse_failed(u);
    r->server->uploads--;
    upload_free(u);
    return false;
}

bool upload_has_room(const struct upload *u)
{
    return u->filling.len < UPLOAD_SLICE && !u->is_complete && u->failed == 0;
}

/* A client may take its time, but not for ever: 30 s, and a second for each 16 KiB. */
static void set_deadline(struct upload *u)
{
    int64_t allowed_us = GRACE_MS * 1000LL + (int64_t)(u->taken / RATE) * 1000000;
    int64_t left_ms = (u->began_us + allowed_us - clock_monotonic_us()) / 1000;

    if (left_ms > GRACE_MS) left_ms = GRACE_MS;
    connection_deadline(u->request->connection, left_ms > 1 ? (int)left_ms : 1);
}

void upload_take(struct upload *u, const char *bytes, size_t n)
{
    if (u->failed != 0) return;
    if (n > u->limits.total - u->taken) {
        refuse_total(u);
        return;
    }
    u->taken += n;
    builder_add(&u->filling, bytes, n);
    LL_CHECK(!u->filling.full);
    set_deadline(u);
}

void upload_expect(struct upload *u, uint64_t n)
{
    if (n > u->limits.total - u->taken) refuse_total(u);
}

void upload_complete(struct upload *u)
{
    u->is_complete = true;
    connection_deadline(u->request->connection, -1);
}

void upload_fail(struct upload *u, int status, const char *why)
{
    if (u->failed != 0 || u->is_complete) return;
    u->failed = status;
    snprintf(u->why, sizeof(u->why), "%s", why);
}

void upload_end_of_input(struct upload *u)
{
    u->is_ended = true;
}

/* Only a fiber that waits here is woken: it may be waiting for something else. */
void upload_wake(struct upload *u)
{
    struct fiber *fiber = u->waiting;

    u->waiting = NULL;
    if (fiber != NULL) fiber_wake(fiber);
}

bool upload_waits(const struct upload *u)
{
    return u->waiting != NULL;
}

/* ---- on the fiber ---- */

static void digest(void *context)
{
    struct upload *u = context;

    u->rc = multipart_feed(&u->parser, builder_view(&u->working), &form_sink, u->form);
}

/* Parse, hash and write what has come. False: refused. */
static bool take_slice(struct upload *u)
{
    struct http_request *r = u->request;
    struct builder full = u->filling;
    const char *message;
    int status;

    u->filling = u->working;
    u->working = full;
    connection_read_on(r->connection);
    if (!http_offload(r, digest, u)) return false;
    builder_reset(&u->working);
    if (u->rc == LL_OK) return true;
    status = form_refusal(u->form, &message);
    if (u->rc == LL_EINVAL) status = 400, message = malformed;
    request_refuse(r, status >= 500 ? HTTP_REFUSED_UNAVAILABLE : HTTP_REFUSED_INPUT,
                   status, "%s", message);
    return false;
}

static void seal(void *context)
{
    struct upload *u = context;

    form_seal(u->form, u->hash);
}

static bool finish_form(struct upload *u)
{
    struct http_request *r = u->request;

    if (!multipart_is_complete(&u->parser)) {
        request_refuse(r, HTTP_REFUSED_INPUT, 400, malformed);
        return false;
    }
    if (!http_offload(r, seal, u)) return false;
    builder_reset(&r->body);
    builder_printf(&r->body, "form %s", u->hash);
    return true;
}

bool upload_receive(struct http_request *r)
{
    struct upload *u = r->upload;

    connection_read_on(r->connection);
    for (;;) {
        if (u->failed != 0) {
            refuse_failed(u);
            return false;
        }
        if (u->filling.len > 0) {
            if (!take_slice(u)) return false;
            continue;
        }
        if (u->is_complete) break;
        if (u->is_ended && !connection_has_input(r->connection)) {
            request_refuse(r, HTTP_REFUSED_INPUT, 400, malformed);
            return false;
        }
        u->waiting = fiber_self();
        fiber_wait(-1);
        u->waiting = NULL;
    }
    connection_stop_upload(r->connection, true);
    return finish_form(u);
}

static void free_upload(void *context)
{
    upload_free(context);
}

/* Thousands of drafts may be left to remove. */
void upload_finish(struct http_request *r)
{
    struct upload *u = r->upload;

    if (u == NULL) return;
    connection_stop_upload(r->connection, false);
    r->upload = NULL;
    r->server->uploads--;
    if (fiber_self() == NULL || offload_run(r->server->offload, free_upload, u) != LL_OK)
        upload_free(u);
}

/* ---- what handlers ask ---- */

bool http_form_field(const struct http_request *r, const char *name, struct text *out)
{
    return form_field(r->upload->form, name, out);
}

bool http_form_field_at(const struct http_request *r, size_t i, struct text *name,
                        struct text *value)
{
    return form_field_at(r->upload->form, i, name, value);
}

const struct http_file *http_form_file_at(const struct http_request *r, size_t i)
{
    return form_file_at(r->upload->form, i);
}

struct read_job {
    struct form *form;
    const struct http_file *file;
    size_t limit;
    struct text bytes;
    ll_rc rc;
    struct ll_error err;
};

static void read_file(void *context)
{
    struct read_job *j = context;

    j->rc = form_read_file(j->form, j->file, j->limit, &j->bytes, &j->err);
}

static bool refuse_storage(struct http_request *r, ll_rc rc, const struct ll_error *err)
{
    note(NOTE_ERROR, "blobs are in trouble", NOTE_S("id", r->id),
         NOTE_S("error", err->text));
    if (rc == LL_EFULL)
        request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 507,
                       "There is no room to store the upload");
    else
        request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 500, "Internal Server Error");
    return false;
}

bool http_file_read(struct http_request *r, const struct http_file *file, size_t limit,
                    struct text *out)
{
    struct read_job j = {.form = r->upload->form, .file = file, .limit = limit};

    if (!http_offload(r, read_file, &j)) return false;
    *out = j.bytes;
    if (j.rc == LL_OK) return true;
    if (j.rc != LL_EFULL) return refuse_storage(r, j.rc, &j.err);
    request_refuse(r, HTTP_REFUSED_INPUT, 413, "%s", j.err.text);
    return false;
}

struct keep_job {
    struct blob_draft **drafts;
    size_t n;
    enum cid_form form;
    ll_rc rc;
    struct ll_error err;
};

static void keep_files(void *context)
{
    struct keep_job *j = context;

    j->rc = blob_drafts_keep(j->drafts, j->n, j->form, &j->err);
}

bool http_files_keep(struct http_request *r, const struct http_file *const *files,
                     size_t n, enum cid_form form)
{
    struct keep_job j = {.n = n, .form = form};

    j.drafts = arena_calloc(&r->arena, n + 1, sizeof(struct blob_draft *));
    for (size_t i = 0; i < n; i++) j.drafts[i] = files[i]->draft;
    if (!http_offload(r, keep_files, &j)) return false;
    return j.rc == LL_OK || refuse_storage(r, j.rc, &j.err);
}

struct blob_store *http_blobs(const struct http_request *r)
{
    return r->server->blobs;
}

bool http_offload(struct http_request *r, void (*job)(void *), void *argument)
{
    if (offload_run(r->server->offload, job, argument) == LL_OK) return true;
    request_refuse(r, HTTP_REFUSED_UNAVAILABLE, 503, "too much waits for the disk");
    return false;
}
