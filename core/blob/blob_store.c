/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_store.c - where blobs lie, and finding them. */
#include "core/blob/blob_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- the store ---- */

static char *folder_of(const struct settings *s)
{
    const char *given = settings_string(s, SETTING_BLOBS_FOLDER);
    const char *file = settings_file(s), *slash = strrchr(file, '/');
    struct builder path;

    if (given[0] != '\0') return ll_strdup(given);
    if (file[0] == '\0') return ll_strdup("var/blobs");
    builder_init(&path, BLOB_PATH);
    if (slash != NULL) builder_add(&path, file, (size_t)(slash - file) + 1);
    builder_string(&path, "blobs");
    return builder_take(&path);
}

struct blob_store *blob_store_new(const struct settings *settings)
{
    struct blob_store *s = ll_calloc(1, sizeof(*s));

    s->folder = folder_of(settings);
    LL_CHECK(strlen(s->folder) < BLOB_PATH / 2);
    s->grace_ms = (int64_t)settings_number(settings, SETTING_BLOBS_GRACE) * 1000;
    s->reserve = settings_number(settings, SETTING_BLOBS_RESERVE) << 20;
    s->drafts_lock = -1;
    s->deny_size = -1;
    pthread_mutex_init(&s->mutex, NULL);
    return s;
}

void blob_store_free(struct blob_store *s)
{
    char path[BLOB_PATH];

    if (s == NULL) return;
    if (s->drafts != NULL) {
        snprintf(path, sizeof(path), "%s/lock", s->drafts);
        unlink(path);
        rmdir(s->drafts);
        close(s->drafts_lock);
    }
    pthread_mutex_destroy(&s->mutex);
    free(s->drafts);
    free(s->denied);
    free(s->denied_ids);
    free(s->folder);
    free(s);
}

const char *blob_store_folder(const struct blob_store *s)
{
    return s->folder;
}

/* Of the folder, or of where it will be made. */
bool blob_store_has_room(const struct blob_store *s)
{
    struct statvfs v;

    if (statvfs(s->folder, &v) != 0) return true;
    return (uint64_t)v.f_bavail * v.f_frsize >= s->reserve;
}

/* ---- paths ---- */

void blob_path_of(const struct blob_store *s, const char *rest, char out[BLOB_PATH])
{
    int n = snprintf(out, BLOB_PATH, "%s/%s", s->folder, rest);

    LL_CHECK(n > 0 && n < BLOB_PATH);
}

/* The two characters before the last: the last of a V1 has only eight values. */
void blob_shard_path(const struct blob_store *s, const char *name, char out[BLOB_PATH])
{
    char shard[BLOB_SHARD] = {0};

    LL_CHECK(cid_form(text_of(name)) != CID_NONE);
    memcpy(shard, name + strlen(name) - 3, 2);
    blob_path_of(s, shard, out);
}

void blob_path(const struct blob_store *s, const char *name, const char *suffix,
               char out[BLOB_PATH])
{
    size_t n;

    blob_shard_path(s, name, out);
    n = strlen(out);
    LL_CHECK(snprintf(out + n, BLOB_PATH - n, "/%s%s", name, suffix) <
             (int)(BLOB_PATH - n));
}

/* A name that may become a path, as a C string. */
static bool take_name(struct text name, char out[CID_TEXT])
{
    if (cid_form(name) == CID_NONE) return false;
    LL_CHECK(name.len < CID_TEXT);
    memcpy(out, name.ptr, name.len);
    out[name.len] = '\0';
    return true;
}

int blob_lock(const struct blob_store *s, int how)
{
    char path[BLOB_PATH];
    int fd, locked;

    blob_path_of(s, "lock", path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    do locked = flock(fd, how);
    while (locked != 0 && errno == EINTR);
    if (locked == 0) return fd;
    close(fd);
    return -1;
}

/* ---- reading ---- */

static ll_rc not_found(struct text name, struct ll_error *err)
{
    return ll_fail(err, LL_ENOTFOUND, "there is no blob \"%.*s\"",
                   (int)(name.len < CID_TEXT ? name.len : CID_TEXT), name.ptr);
}

/* What a gzip file says of its plain size: enough, since drafts are at most 4 GiB. */
static bool read_plain_size(int fd, uint64_t disk_size, uint64_t *out)
{
    unsigned char last[4];

    if (disk_size < 18 ||
        pread(fd, last, sizeof(last), (off_t)disk_size - 4) != sizeof(last))
        return false;
    *out = last[0] | (uint64_t)last[1] << 8 | (uint64_t)last[2] << 16 |
           (uint64_t)last[3] << 24;
    return true;
}

static ll_rc open_file(struct blob_store *s, const char *name, struct blob *out,
                       struct ll_error *err)
{
    char path[BLOB_PATH];
    struct stat st;

    *out = (struct blob){.fd = -1};
    blob_path(s, name, "", path);
    out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (out->fd < 0 && errno == ENOENT) {
        blob_path(s, name, ".gzip", path);
        out->is_gzip = true;
        out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (out->fd < 0 && errno == ENOENT) return not_found(text_of(name), err);
    if (out->fd < 0 || fstat(out->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ll_fail(err, LL_ESYSTEM, "cannot open \"%s\": %s", path, strerror(errno));
    out->size = out->disk_size = (uint64_t)st.st_size;
    if (out->is_gzip && !read_plain_size(out->fd, out->disk_size, &out->size))
        return ll_fail(err, LL_EBROKEN, "\"%s\" is not a gzip file", path);
    return LL_OK;
}

static ll_rc open_any(struct blob_store *s, struct text name, struct blob *out,
                      struct ll_error *err)
{
    char checked[CID_TEXT];
    ll_rc rc;

    *out = (struct blob){.fd = -1};
    if (!take_name(name, checked)) return not_found(name, err);
    rc = open_file(s, checked, out, err);
    if (rc != LL_OK && out->fd >= 0) close(out->fd);
    return rc;
}

ll_rc blob_open(struct blob_store *s, struct text name, struct blob *out,
                struct ll_error *err)
{
    *out = (struct blob){.fd = -1};
    if (blob_is_denied(s, name)) return not_found(name, err);
    return open_any(s, name, out, err);
}

static ll_rc take_piece(void *context, const void *bytes, size_t n, struct ll_error *err)
{
    struct builder *out = context;

    builder_add(out, bytes, n);
    return out->full ? ll_fail(err, LL_EFULL, "a blob is larger than what reads it")
                     : LL_OK;
}

static ll_rc read_plain(int fd, struct builder *out, struct ll_error *err)
{
    char buffer[BLOB_BUFFER];
    ll_rc rc = LL_OK;

    while (rc == LL_OK) {
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ll_fail(err, LL_ESYSTEM, "read a blob: %s", strerror(errno));
        rc = take_piece(out, buffer, (size_t)n, err);
    }
    return rc;
}

ll_rc blob_read_open(const struct blob *b, size_t limit, struct builder *out,
                     struct ll_error *err)
{
    if (b->size > limit)
        return ll_fail(err, LL_EFULL, "a blob of %llu bytes, more than %zu",
                       (unsigned long long)b->size, limit);
    if (!b->is_gzip) return read_plain(b->fd, out, err);
    return blob_gunzip(b->fd, 0, b->size, take_piece, out, err);
}

ll_rc blob_read_even_denied(struct blob_store *s, struct text name, size_t limit,
                            struct builder *out, struct ll_error *err)
{
    struct blob b;
    ll_rc rc = open_any(s, name, &b, err);

    if (rc != LL_OK) return rc;
    rc = blob_read_open(&b, limit, out, err);
    close(b.fd);
    return rc;
}

ll_rc blob_read(struct blob_store *s, struct text name, size_t limit, struct builder *out,
                struct ll_error *err)
{
    if (blob_is_denied(s, name)) return not_found(name, err);
    return blob_read_even_denied(s, name, limit, out, err);
}

bool blob_exists(struct blob_store *s, struct text name)
{
    char checked[CID_TEXT], path[BLOB_PATH];

    if (!take_name(name, checked) || blob_is_denied(s, name)) return false;
    blob_path(s, checked, "", path);
    if (access(path, F_OK) == 0) return true;
    blob_path(s, checked, ".gzip", path);
    return access(path, F_OK) == 0;
}

/* ---- life and death ---- */

bool blob_make_young(const struct blob_store *s, const char *name)
{
    static const struct timespec now[] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    char path[BLOB_PATH];

    blob_path(s, name, "", path);
    if (utimensat(AT_FDCWD, path, now, 0) == 0) return true;
    blob_path(s, name, ".gzip", path);
    return utimensat(AT_FDCWD, path, now, 0) == 0;
}

bool blob_touch(struct blob_store *s, struct text name)
{
    char checked[CID_TEXT];
    bool is_there;
    int lock;

    if (!take_name(name, checked) || !blob_exists(s, name)) return false;
    lock = blob_lock(s, LOCK_SH);
    if (lock < 0) return false;
    is_there = blob_make_young(s, checked);
    close(lock);
    return is_there;
}

ll_rc blob_remove(struct blob_store *s, struct text name, struct ll_error *err)
{
    static const char *const suffixes[] = {"", ".gzip"};
    char checked[CID_TEXT], path[BLOB_PATH];

    if (!take_name(name, checked)) return LL_OK;
    for (size_t i = 0; i < LL_LENGTH(suffixes); i++) {
        blob_path(s, checked, suffixes[i], path);
        if (unlink(path) != 0 && errno != ENOENT)
            return ll_fail(err, LL_ESYSTEM, "remove \"%s\": %s", path, strerror(errno));
    }
    return LL_OK;
}
