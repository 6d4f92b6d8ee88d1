/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_sweep.c - what nothing refers to any more, and what ended processes left.
 *
 * A name is old when it is looked at, unreferenced when asked about, and still old under
 * the store's lock: whoever refers to it again makes it young first, under that lock.
 */
#include "core/blob/blob_private.h"

#include "core/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FOLDER_AGE_MS = 60000 }; /* a folder of drafts may be made, and not yet locked */

struct sweep {
    struct blob_store *store;
    blob_referenced referenced;
    void *context;
    struct blob_sweep *out;
    size_t count; /* old names that wait to be asked about */
    char names[BLOB_SWEEP_BATCH][CID_TEXT];
    bool is_gzip[BLOB_SWEEP_BATCH];
};

static bool is_older(const struct stat *st, int64_t ms)
{
    int64_t at = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;

    return clock_now_ms() - at >= ms;
}

/* ---- blobs ---- */

static void remove_if_old(struct sweep *w, size_t i)
{
    char path[BLOB_PATH];
    struct stat st;

    blob_path(w->store, w->names[i], w->is_gzip[i] ? ".gzip" : "", path);
    if (stat(path, &st) != 0 || !is_older(&st, w->store->grace_ms)) return;
    if (unlink(path) != 0) return;
    w->out->removed++;
    w->out->removed_bytes += (uint64_t)st.st_size;
}

static ll_rc ask_and_remove(struct sweep *w, struct ll_error *err)
{
    struct text names[BLOB_SWEEP_BATCH];
    bool is_referenced[BLOB_SWEEP_BATCH] = {false};
    ll_rc rc;
    int lock;

    if (w->count == 0) return LL_OK;
    for (size_t i = 0; i < w->count; i++) names[i] = text_of(w->names[i]);
    rc = w->referenced(w->context, names, w->count, is_referenced, err);
    if (rc != LL_OK) return rc;
    lock = blob_lock(w->store, LOCK_EX);
    if (lock < 0)
        return ll_fail(err, LL_ESYSTEM, "lock \"%s\": %s", w->store->folder,
                       strerror(errno));
    for (size_t i = 0; i < w->count; i++)
        if (!is_referenced[i]) remove_if_old(w, i);
    close(lock);
    w->count = 0;
    return LL_OK;
}

/* A blob's file name to its name; false for what is none. */
static bool take_name(const char *file, char out[CID_TEXT], bool *is_gzip)
{
    static const char suffix[] = ".gzip";
    struct text name = text_of(file);

    *is_gzip = name.len > strlen(suffix) &&
               strcmp(file + name.len - strlen(suffix), suffix) == 0;
    if (*is_gzip) name.len -= strlen(suffix);
    if (cid_form(name) == CID_NONE) return false;
    memcpy(out, name.ptr, name.len);
    out[name.len] = '\0';
    return true;
}

static ll_rc sweep_shard(struct sweep *w, DIR *dir, struct ll_error *err)
{
    const struct dirent *e;
    ll_rc rc = LL_OK;

    while (rc == LL_OK && (e = readdir(dir)) != NULL) {
        struct stat st;

        if (!take_name(e->d_name, w->names[w->count], &w->is_gzip[w->count])) continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        w->out->seen++;
        if (!is_older(&st, w->store->grace_ms)) continue;
        if (++w->count == BLOB_SWEEP_BATCH) rc = ask_and_remove(w, err);
    }
    return rc;
}

static ll_rc sweep_blobs(struct sweep *w, DIR *root, struct ll_error *err)
{
    const struct dirent *e;
    ll_rc rc = LL_OK;

    while (rc == LL_OK && (e = readdir(root)) != NULL) {
        char path[BLOB_PATH];
        DIR *dir;

        if (strlen(e->d_name) != 2 || e->d_name[0] == '.') continue;
        blob_path_of(w->store, e->d_name, path);
        dir = opendir(path);
        if (dir == NULL) continue;
        rc = sweep_shard(w, dir, err);
        closedir(dir);
    }
    return rc == LL_OK ? ask_and_remove(w, err) : rc;
}

/* ---- drafts of processes that have ended ---- */

static void empty_folder(struct sweep *w, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e;

    if (dir == NULL) return;
    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, "lock") == 0) continue;
        if (unlinkat(dirfd(dir), e->d_name, 0) == 0) w->out->drafts++;
    }
    if (unlinkat(dirfd(dir), "lock", 0) != 0) { /* it had none */
    }
    closedir(dir);
    rmdir(path);
}

/* Whoever holds its lock lives. */
static void sweep_drafts_of(struct sweep *w, const char *path)
{
    char lock[BLOB_PATH + 8];
    struct stat st;
    int fd;

    snprintf(lock, sizeof(lock), "%s/lock", path);
    fd = open(lock, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT && stat(path, &st) == 0 && is_older(&st, FOLDER_AGE_MS))
            empty_folder(w, path);
        return;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
        is_older(&st,
                 w->store->grace_ms < FOLDER_AGE_MS ? w->store->grace_ms : FOLDER_AGE_MS))
        empty_folder(w, path);
    close(fd);
}

static void sweep_drafts(struct sweep *w)
{
    char path[BLOB_PATH];
    const struct dirent *e;
    DIR *dir;

    blob_path_of(w->store, "drafts", path);
    dir = opendir(path);
    if (dir == NULL) return;
    while ((e = readdir(dir)) != NULL) {
        char one[BLOB_PATH + 300];

        if (e->d_name[0] == '.') continue;
        snprintf(one, sizeof(one), "%s/%s", path, e->d_name);
        if (strlen(one) < BLOB_PATH) sweep_drafts_of(w, one);
    }
    closedir(dir);
}

ll_rc blob_store_sweep(struct blob_store *s, blob_referenced referenced, void *context,
                       struct blob_sweep *out, struct ll_error *err)
{
    struct sweep *w = ll_calloc(1, sizeof(*w));
    DIR *root = opendir(s->folder);
    ll_rc rc = LL_OK;

    *out = (struct blob_sweep){0};
    *w = (struct sweep){
        .store = s, .referenced = referenced, .context = context, .out = out};
    if (root != NULL) {
        rc = sweep_blobs(w, root, err);
        closedir(root);
        sweep_drafts(w);
    }
    free(w);
    return rc;
}
