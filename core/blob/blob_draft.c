/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_draft.c - blobs while they are written, and putting them in their places. */
#include "core/blob/blob_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

enum { LOOK_EVERY = 32 * 1024 * 1024 }; /* bytes between two looks at the disk's room */

struct blob_draft {
    struct blob_store *store;
    struct cid_hasher *hasher; /* NULL: ended */
    z_stream *gzip;            /* NULL: stored as it is */
    int fd;                    /* -1: ended */
    bool is_gzip;
    uint64_t written, looked;
    struct cids cids;
    char path[BLOB_PATH];
};

/* ---- the folder of this process' drafts ---- */

static ll_rc make_folder(const char *path, struct ll_error *err)
{
    char part[BLOB_PATH];

    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) break;
        *slash = '/';
    }
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return LL_OK;
    return ll_fail(err, LL_ESYSTEM, "make the folder \"%s\": %s", path, strerror(errno));
}

/* Its lock tells a sweep that this process lives; a child of a fork holds it too. */
static ll_rc begin_drafts(struct blob_store *s, struct ll_error *err)
{
    char path[BLOB_PATH], lock[BLOB_PATH + 8];
    ll_rc rc;

    if (s->drafts != NULL) return LL_OK;
    blob_path_of(s, "drafts", path);
    rc = make_folder(path, err);
    if (rc != LL_OK) return rc;
    blob_path_of(s, "drafts/XXXXXX", path);
    if (mkdtemp(path) == NULL)
        return ll_fail(err, LL_ESYSTEM, "make a folder for drafts in \"%s\": %s",
                       s->folder, strerror(errno));
    snprintf(lock, sizeof(lock), "%s/lock", path);
    s->drafts_lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->drafts_lock < 0 || flock(s->drafts_lock, LOCK_EX) != 0)
        return ll_fail(err, LL_ESYSTEM, "lock \"%s\": %s", lock, strerror(errno));
    s->drafts = ll_strdup(path);
    return LL_OK;
}

static ll_rc new_file(struct blob_store *s, char path[BLOB_PATH], int *out,
                      struct ll_error *err)
{
    ll_rc rc;

    pthread_mutex_lock(&s->mutex);
    rc = begin_drafts(s, err);
    pthread_mutex_unlock(&s->mutex);
    if (rc != LL_OK) return rc;
    if (snprintf(path, BLOB_PATH, "%s/XXXXXX", s->drafts) >= BLOB_PATH)
        return ll_fail(err, LL_ESYSTEM, "the path of \"%s\" is too long", s->drafts);
    *out = mkostemp(path, O_CLOEXEC);
    if (*out >= 0) return LL_OK;
    return ll_fail(err, errno == ENOSPC || errno == EDQUOT ? LL_EFULL : LL_ESYSTEM,
                   "make a draft in \"%s\": %s", s->drafts, strerror(errno));
}

ll_rc blob_nameless(struct blob_store *s, int *out, struct ll_error *err)
{
    char path[BLOB_PATH];
    ll_rc rc = new_file(s, path, out, err);

    if (rc == LL_OK) unlink(path);
    return rc;
}

/* ---- writing ---- */

ll_rc blob_write_all(int fd, const void *bytes, size_t n, struct ll_error *err)
{
    const char *at = bytes;

    while (n > 0) {
        ssize_t wrote = write(fd, at, n);

        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0)
            return ll_fail(err,
                           errno == ENOSPC || errno == EDQUOT ? LL_EFULL : LL_ESYSTEM,
                           "write a blob: %s", strerror(errno));
        at += wrote;
        n -= (size_t)wrote;
    }
    return LL_OK;
}

static ll_rc check_room(const struct blob_store *s, struct ll_error *err)
{
    if (blob_store_has_room(s)) return LL_OK;
    return ll_fail(err, LL_EFULL, "the disk of \"%s\" has too little room", s->folder);
}

static z_stream *new_gzip(void)
{
    enum { GZIP = 16 + MAX_WBITS, MEMORY = 8 };
    z_stream *z = ll_calloc(1, sizeof(*z));

    LL_CHECK(deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY,
                          Z_DEFAULT_STRATEGY) == Z_OK);
    return z;
}

static ll_rc new_draft(struct blob_store *s, bool is_gzip, struct blob_draft **out,
                       struct ll_error *err)
{
    struct blob_draft *d = ll_calloc(1, sizeof(*d));
    ll_rc rc = check_room(s, err);

    *out = NULL;
    if (rc == LL_OK) rc = new_file(s, d->path, &d->fd, err);
    if (rc != LL_OK) {
        free(d);
        return rc;
    }
    d->store = s;
    d->hasher = cid_hasher_new();
    d->is_gzip = is_gzip;
    if (is_gzip) d->gzip = new_gzip();
    *out = d;
    return LL_OK;
}

ll_rc blob_draft_new(struct blob_store *s, struct blob_draft **out, struct ll_error *err)
{
    return new_draft(s, false, out, err);
}

ll_rc blob_draft_new_gzip(struct blob_store *s, struct blob_draft **out,
                          struct ll_error *err)
{
    return new_draft(s, true, out, err);
}

/* Compress what there is; with Z_FINISH to the end. */
static ll_rc write_packed(struct blob_draft *d, const void *bytes, size_t n, int flush,
                          struct ll_error *err)
{
    unsigned char packed[BLOB_BUFFER];
    z_stream *z = d->gzip;
    ll_rc rc = LL_OK;

    LL_CHECK(n <= UINT32_MAX);
    z->next_in = (unsigned char *)(uintptr_t)bytes;
    z->avail_in = (unsigned)n;
    do {
        z->next_out = packed;
        z->avail_out = sizeof(packed);
        LL_CHECK(deflate(z, flush) != Z_STREAM_ERROR);
        rc = blob_write_all(d->fd, packed, sizeof(packed) - z->avail_out, err);
    } while (rc == LL_OK && z->avail_out == 0);
    return rc;
}

ll_rc blob_draft_write(struct blob_draft *d, const void *bytes, size_t n,
                       struct ll_error *err)
{
    ll_rc rc = LL_OK;

    LL_CHECK(d->hasher != NULL);
    if (n == 0) return LL_OK;
    d->written += n;
    if (d->is_gzip && d->written > UINT32_MAX)
        return ll_fail(err, LL_EFULL, "a compressed blob of more than 4 GiB");
    if (d->written - d->looked > LOOK_EVERY) {
        d->looked = d->written;
        rc = check_room(d->store, err);
        if (rc != LL_OK) return rc;
    }
    cid_hasher_add(d->hasher, bytes, n);
    return d->is_gzip ? write_packed(d, bytes, n, Z_NO_FLUSH, err)
                      : blob_write_all(d->fd, bytes, n, err);
}

ll_rc blob_draft_end(struct blob_draft *d, struct ll_error *err)
{
    ll_rc rc = LL_OK;

    LL_CHECK(d->hasher != NULL);
    if (d->is_gzip) rc = write_packed(d, NULL, 0, Z_FINISH, err);
    cid_hasher_finish(d->hasher, &d->cids);
    cid_hasher_free(d->hasher);
    d->hasher = NULL;
    if (close(d->fd) != 0 && rc == LL_OK)
        rc = ll_fail(err, LL_ESYSTEM, "close a draft: %s", strerror(errno));
    d->fd = -1;
    return rc;
}

const struct cids *blob_draft_cids(const struct blob_draft *d)
{
    LL_CHECK(d->hasher == NULL);
    return &d->cids;
}

void blob_draft_free(struct blob_draft *d)
{
    if (d == NULL) return;
    if (d->gzip != NULL) deflateEnd(d->gzip);
    free(d->gzip);
    cid_hasher_free(d->hasher);
    if (d->fd >= 0) close(d->fd);
    if (d->path[0] != '\0') unlink(d->path);
    free(d);
}

ll_rc blob_draft_read(const struct blob_draft *d, size_t limit, struct builder *out,
                      struct ll_error *err)
{
    const struct blob b = {open(d->path, O_RDONLY | O_CLOEXEC), d->cids.size, d->is_gzip,
                           0};
    ll_rc rc;

    LL_CHECK(d->hasher == NULL && d->path[0] != '\0');
    if (b.fd < 0) return ll_fail(err, LL_ESYSTEM, "open a draft: %s", strerror(errno));
    rc = blob_read_open(&b, limit, out, err);
    close(b.fd);
    return rc;
}

/* ---- keeping ---- */

static ll_rc sync_path(const char *path, int flags, struct ll_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int failed = fd < 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0) close(fd);
    if (failed == 0) return LL_OK;
    return ll_fail(err, failed == ENOSPC || failed == EDQUOT ? LL_EFULL : LL_ESYSTEM,
                   "sync \"%s\": %s", path, strerror(failed));
}

/* Begin to write all out, so that the syncs that follow wait for the disk together. */
static void start_writing(struct blob_draft *const *drafts, size_t n)
{
    for (size_t i = 0; i < n && n > 1; i++) {
        int fd = open(drafts[i]->path, O_RDONLY | O_CLOEXEC);

        if (fd < 0) continue;
        if (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) != 0) { /* no promise */
        }
        close(fd);
    }
}

static ll_rc make_shard(const struct blob_store *s, const char *name, char out[BLOB_PATH],
                        struct ll_error *err)
{
    blob_shard_path(s, name, out);
    if (mkdir(out, 0777) == 0) return sync_path(s->folder, O_DIRECTORY, err);
    if (errno == EEXIST) return LL_OK;
    return ll_fail(err, errno == ENOSPC || errno == EDQUOT ? LL_EFULL : LL_ESYSTEM,
                   "make the folder \"%s\": %s", out, strerror(errno));
}

/* The bytes are on the disk: give them their name, unless they have it already. */
static ll_rc put_in_place(struct blob_draft *d, const char *name, struct ll_error *err)
{
    char path[BLOB_PATH];

    if (blob_make_young(d->store, name)) return LL_OK;
    blob_path(d->store, name, d->is_gzip ? ".gzip" : "", path);
    if (rename(d->path, path) != 0)
        return ll_fail(err, LL_ESYSTEM, "rename a draft to \"%s\": %s", path,
                       strerror(errno));
    d->path[0] = '\0';
    /* As old as its keeping, not as its last byte. */
    blob_make_young(d->store, name);
    return LL_OK;
}

static ll_rc put_all_in_place(struct blob_draft *const *drafts, size_t n,
                              enum cid_form form, struct ll_error *err)
{
    int lock = blob_lock(drafts[0]->store, LOCK_SH);
    ll_rc rc = LL_OK;

    if (lock < 0)
        return ll_fail(err, LL_ESYSTEM, "lock \"%s\": %s", drafts[0]->store->folder,
                       strerror(errno));
    for (size_t i = 0; i < n && rc == LL_OK; i++)
        if (drafts[i]->path[0] != '\0')
            rc = put_in_place(drafts[i], cids_name(&drafts[i]->cids, form), err);
    close(lock);
    return rc;
}

/* Each shard's folder once: `synced` has a bit for each. */
static ll_rc sync_shards(struct blob_draft *const *drafts, size_t n, enum cid_form form,
                         struct ll_error *err)
{
    unsigned char synced[65536 / 8] = {0};
    ll_rc rc = LL_OK;

    for (size_t i = 0; i < n && rc == LL_OK; i++) {
        const char *name = cids_name(&drafts[i]->cids, form);
        const char *two = name + strlen(name) - 3;
        size_t bit = (size_t)(unsigned char)two[0] << 8 | (unsigned char)two[1];
        char path[BLOB_PATH];

        if (synced[bit / 8] & 1 << bit % 8) continue;
        synced[bit / 8] |= (unsigned char)(1 << bit % 8);
        blob_shard_path(drafts[i]->store, name, path);
        rc = sync_path(path, O_DIRECTORY, err);
    }
    return rc;
}

ll_rc blob_drafts_keep(struct blob_draft *const *drafts, size_t n, enum cid_form form,
                       struct ll_error *err)
{
    char shard[BLOB_PATH];
    ll_rc rc = LL_OK;

    if (n == 0) return LL_OK;
    start_writing(drafts, n);
    for (size_t i = 0; i < n && rc == LL_OK; i++) {
        struct blob_draft *d = drafts[i];

        LL_CHECK(d->hasher == NULL && d->store == drafts[0]->store);
        rc = make_shard(d->store, cids_name(&d->cids, form), shard, err);
        if (rc == LL_OK && d->path[0] != '\0') rc = sync_path(d->path, 0, err);
    }
    if (rc == LL_OK) rc = put_all_in_place(drafts, n, form, err);
    if (rc == LL_OK) rc = sync_shards(drafts, n, form, err);
    return rc;
}

ll_rc blob_put(struct blob_store *s, struct text bytes, enum cid_form form,
               struct cids *out, struct ll_error *err)
{
    struct blob_draft *d;
    ll_rc rc = blob_draft_new(s, &d, err);

    if (rc == LL_OK) rc = blob_draft_write(d, bytes.ptr, bytes.len, err);
    if (rc == LL_OK) rc = blob_draft_end(d, err);
    if (rc == LL_OK) *out = d->cids;
    if (rc == LL_OK) rc = blob_drafts_keep(&d, 1, form, err);
    blob_draft_free(d);
    return rc;
}
