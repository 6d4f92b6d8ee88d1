/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* form.c - see form.h. Files are found again by a hash of their part's name, since there
 * may be thousands. */
#include "core/http/form.h"

#include "core/base/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct form_value {
    char *name, *value;
    size_t name_len, value_len;
};

struct form_file {
    UT_hash_handle hh; /* by the part's name; uthash keeps the order of the form */
    struct http_file seen;
    char *part, *name, *type;
    struct builder read; /* its bytes, once somebody wanted them */
};

struct form {
    const struct http_upload *limits;
    struct blob_store *blobs;
    struct form_value *fields;
    size_t field_count; /* by name; fewer than the parts that were fields */
    struct form_file *files;
    const struct http_file **all; /* in order, once sealed */
    size_t file_count;
    uint64_t field_parts, file_parts;

    /* The part that is coming: */
    struct builder name, value;
    struct form_file *file; /* NULL: a field */
    uint64_t file_size;

    int status; /* of a refusal; 0: none */
    char message[MULTIPART_NAME + 256];
};

struct form *form_new(const struct http_upload *limits, struct blob_store *blobs)
{
    struct form *f = ll_calloc(1, sizeof(*f));

    f->limits = limits;
    f->blobs = blobs;
    builder_init(&f->name, MULTIPART_NAME + 1);
    builder_init(&f->value, limits->field_size + 1);
    return f;
}

static void free_file(struct form_file *file)
{
    if (file == NULL) return;
    blob_draft_free(file->seen.draft);
    builder_fini(&file->read);
    free(file->part);
    free(file->name);
    free(file->type);
    free(file);
}

static void free_value(struct form_value *v)
{
    free(v->name);
    free(v->value);
}

void form_free(struct form *f)
{
    struct form_file *file, *next;

    if (f == NULL) return;
    HASH_ITER(hh, f->files, file, next) /* the analyser does not follow uthash: */
    {
        HASH_DEL(f->files, file); // NOLINT(clang-analyzer-unix.Malloc)
        free_file(file);          // NOLINT(clang-analyzer-unix.Malloc)
    }
    free_file(f->file);
    for (size_t i = 0; i < f->field_count; i++) free_value(&f->fields[i]);
    free(f->fields);
    free(f->all);
    builder_fini(&f->name);
    builder_fini(&f->value);
    free(f);
}

int form_refusal(const struct form *f, const char **message)
{
    *message = f->message;
    return f->status;
}

static ll_rc LL_PRINTF(3, 4) refuse(struct form *f, int status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(f->message, sizeof(f->message), fmt, args);
    va_end(args);
    f->status = status;
    return LL_EFULL;
}

/* The disk said no. */
static ll_rc refuse_storage(struct form *f, ll_rc rc, const struct ll_error *err)
{
    note(NOTE_ERROR, "an upload could not be stored", NOTE_S("error", err->text));
    if (rc == LL_EFULL) return refuse(f, 507, "There is no room to store the upload");
    return refuse(f, 500, "Internal Server Error");
}

/* ---- parts as they come ---- */

static ll_rc begin_file(struct form *f, const struct multipart_part *part)
{
    struct form_file *file;
    struct ll_error err;
    ll_rc rc;

    if (f->file_parts++ == f->limits->file_count)
        return refuse(f, 413,
                      "Too many files in the request. The maximum allowed is %llu.",
                      (unsigned long long)f->limits->file_count);
    file = ll_calloc(1, sizeof(*file));
    f->file = file;
    f->file_size = 0;
    builder_init(&file->read, SIZE_MAX / 2);
    file->part = ll_malloc(part->name.len + 1);
    memcpy(file->part, part->name.ptr, part->name.len);
    file->part[part->name.len] = '\0';
    file->seen.part = (struct text){file->part, part->name.len};
    file->name =
        strndup(part->file_name.len ? part->file_name.ptr : "", part->file_name.len);
    file->type = strndup(part->type.len ? part->type.ptr : "", part->type.len);
    LL_CHECK(file->name != NULL && file->type != NULL);
    file->seen.name = text_of(file->name);
    file->seen.type = text_of(file->type);
    rc = blob_draft_new(f->blobs, &file->seen.draft, &err);
    return rc == LL_OK ? LL_OK : refuse_storage(f, rc, &err);
}

static ll_rc begin_part(void *context, const struct multipart_part *part)
{
    struct form *f = context;

    if (part->is_file) return begin_file(f, part);
    if (f->field_parts++ == f->limits->field_count)
        return refuse(f, 413,
                      "Too many form fields in the request. The maximum allowed is %llu.",
                      (unsigned long long)f->limits->field_count);
    builder_reset(&f->name);
    builder_reset(&f->value);
    builder_text(&f->name, part->name);
    return LL_OK;
}

static ll_rc take_file_data(struct form *f, const char *bytes, size_t n)
{
    struct ll_error err;
    ll_rc rc;

    if (n > f->limits->file_size - f->file_size)
        return refuse(f, 413,
                      "File '%s' is too large. The maximum allowed size per file is %llu "
                      "bytes.",
                      f->file->part, (unsigned long long)f->limits->file_size);
    f->file_size += n;
    rc = blob_draft_write(f->file->seen.draft, bytes, n, &err);
    return rc == LL_OK ? LL_OK : refuse_storage(f, rc, &err);
}

static ll_rc take_data(void *context, const char *bytes, size_t n)
{
    struct form *f = context;

    if (f->file != NULL) return take_file_data(f, bytes, n);
    if (n > f->limits->field_size - f->value.len)
        return refuse(f, 413,
                      "Field '%s' is too large. The maximum allowed size per field is "
                      "%llu bytes.",
                      f->name.ptr, (unsigned long long)f->limits->field_size);
    builder_add(&f->value, bytes, n);
    return LL_OK;
}

/* The later replaces the earlier, in the later's place. */
static ll_rc end_file(struct form *f)
{
    struct form_file *file = f->file, *before;
    struct ll_error err;
    ll_rc rc = blob_draft_end(file->seen.draft, &err);

    if (rc != LL_OK) return refuse_storage(f, rc, &err);
    file->seen.cids = blob_draft_cids(file->seen.draft);
    HASH_FIND(hh, f->files, file->part, file->seen.part.len, before);
    if (before != NULL) {
        HASH_DEL(f->files, before);
        free_file(before);
    }
    HASH_ADD_KEYPTR(hh, f->files, file->part, file->seen.part.len, file);
    f->file = NULL;
    return LL_OK;
}

static void end_field(struct form *f)
{
    struct form_value *v;
    size_t i = 0;

    while (i < f->field_count &&
           !text_equal(builder_view(&f->name),
                       (struct text){f->fields[i].name, f->fields[i].name_len}))
        i++;
    if (i < f->field_count) {
        free_value(&f->fields[i]);
    } else {
        f->fields = ll_realloc(f->fields, (i + 1) * sizeof(*f->fields));
        f->field_count++;
    }
    v = &f->fields[i];
    *v = (struct form_value){.name_len = f->name.len, .value_len = f->value.len};
    v->name = builder_take(&f->name);
    v->value = builder_take(&f->value);
}

static ll_rc end_part(void *context)
{
    struct form *f = context;

    if (f->file != NULL) return end_file(f);
    end_field(f);
    return LL_OK;
}

const struct multipart_sink form_sink = {begin_part, take_data, end_part};

/* ---- what was held ---- */

bool form_field_at(const struct form *f, size_t i, struct text *name, struct text *value)
{
    if (i >= f->field_count) return false;
    *name = (struct text){f->fields[i].name, f->fields[i].name_len};
    *value = (struct text){f->fields[i].value, f->fields[i].value_len};
    return true;
}

bool form_field(const struct form *f, const char *name, struct text *out)
{
    struct text one;

    for (size_t i = 0; form_field_at(f, i, &one, out); i++)
        if (text_is(one, name)) return true;
    *out = TEXT("");
    return false;
}

const struct http_file *form_file_at(const struct form *f, size_t i)
{
    LL_CHECK(f->all != NULL);
    return i < f->file_count ? f->all[i] : NULL;
}

ll_rc form_read_file(struct form *f, const struct http_file *seen, size_t limit,
                     struct text *out, struct ll_error *err)
{
    struct form_file *file;
    ll_rc rc = LL_OK;

    HASH_FIND(hh, f->files, seen->part.ptr, seen->part.len, file);
    LL_CHECK(file != NULL && &file->seen == seen);
    if (seen->cids->size > limit)
        return ll_fail(err, LL_EFULL,
                       "File '%s' is too large. The maximum allowed size is %zu bytes.",
                       file->part, limit);
    if (file->read.len == 0) rc = blob_draft_read(seen->draft, limit, &file->read, err);
    *out = builder_view(&file->read);
    return rc;
}

static void hash_text(struct cid_hasher *h, char kind, struct text t)
{
    char head[32];
    int n = snprintf(head, sizeof(head), "%c%zu:", kind, t.len);

    cid_hasher_add(h, head, (size_t)n);
    cid_hasher_add(h, t.ptr, t.len);
}

void form_seal(struct form *f, char out[CID_TEXT])
{
    struct cid_hasher *h = cid_hasher_new();
    struct cids hash;

    f->all = ll_calloc(HASH_COUNT(f->files) + 1, sizeof(*f->all));
    for (size_t i = 0; i < f->field_count; i++) {
        hash_text(h, 'f', (struct text){f->fields[i].name, f->fields[i].name_len});
        hash_text(h, 'v', (struct text){f->fields[i].value, f->fields[i].value_len});
    }
    for (const struct form_file *file = f->files; file != NULL; file = file->hh.next) {
        hash_text(h, 'p', file->seen.part);
        hash_text(h, 'c', text_of(file->seen.cids->v1));
        f->all[f->file_count++] = &file->seen;
    }
    cid_hasher_finish(h, &hash);
    cid_hasher_free(h);
    memcpy(out, hash.v0, CID_TEXT);
}
