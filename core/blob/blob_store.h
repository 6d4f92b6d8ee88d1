/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_store.h - large and personal things: a folder of immutable files, each named by
 * its own hash (cid.h).
 *
 *   <folder>/a7/bafkrei...a7x        shards: the two characters before the last
 *   <folder>/a7/bafkrei...a7x.gzip   compressed; the name is that of the plain bytes
 *   <folder>/drafts/<process>/...    being written; a process holds the lock in its own,
 *                                    and what one leaves that has ended is swept
 *   <folder>/lock                    shared by who makes a blob young, the sweep's alone
 *                                    while it removes
 *   <folder>/denylist.txt            ids, one a line, `#` comments: hidden from readers
 *
 * A blob appears whole or not at all: a draft is hashed while it is written, synced, and
 * renamed into place, and the folder is synced after it. Keeping what is there already
 * costs nothing and makes it young again.
 *
 * Everything here blocks on the disk: on a loop's thread use core/net/offload.
 * Threads: a store may be used by any number at once, also by several processes; a draft
 * and an open blob by one at a time.
 */
#ifndef LL_BLOB_STORE_H
#define LL_BLOB_STORE_H

#include "core/base/settings.h"
#include "core/blob/cid.h"

struct blob_store;

/* On the folder that the settings name: `blobs.folder`, and where that is empty "blobs"
 * beside the configuration file, "var/blobs" without one. Nothing is made or read yet:
 * the folder is made with the first draft. */
struct blob_store *blob_store_new(const struct settings *s);
/* No draft may be left. NULL is allowed. */
void blob_store_free(struct blob_store *s);
const char *blob_store_folder(const struct blob_store *s);
/* False when the disk has less room than `blobs.reserve`: new blobs are refused. */
bool blob_store_has_room(const struct blob_store *s);

/* ---- writing ---- */

struct blob_draft;

/* Begin a temporary file. LL_EFULL: no room (blob_store_has_room). */
ll_rc blob_draft_new(struct blob_store *s, struct blob_draft **out,
                     struct ll_error *err) LL_MUST_CHECK;
/* As above, stored gzip-compressed; hash and size are of what is written here. */
ll_rc blob_draft_new_gzip(struct blob_store *s, struct blob_draft **out,
                          struct ll_error *err) LL_MUST_CHECK;
ll_rc blob_draft_write(struct blob_draft *d, const void *bytes, size_t n,
                       struct ll_error *err) LL_MUST_CHECK;
/* No more is written: its names are known, and its file is closed (so that thousands of
 * drafts may wait). */
ll_rc blob_draft_end(struct blob_draft *d, struct ll_error *err) LL_MUST_CHECK;
/* Of an ended draft. */
const struct cids *blob_draft_cids(const struct blob_draft *d);
/* The plain bytes of an ended draft. LL_EFULL: larger than `limit`. */
ll_rc blob_draft_read(const struct blob_draft *d, size_t limit, struct builder *out,
                      struct ll_error *err) LL_MUST_CHECK;
/* Put ended drafts in their places under the name of that form: durable when this
 * returns LL_OK, and each survives the next sweep. On a failure some may be in place:
 * unreferenced, so swept. The drafts are still to be freed. */
ll_rc blob_drafts_keep(struct blob_draft *const *drafts, size_t n, enum cid_form form,
                       struct ll_error *err) LL_MUST_CHECK;
/* Removes the temporary file unless it was kept. NULL is allowed. */
void blob_draft_free(struct blob_draft *d);

/* Draft, write, end, keep in one: a blob whose bytes are all there. */
ll_rc blob_put(struct blob_store *s, struct text bytes, enum cid_form form,
               struct cids *out, struct ll_error *err) LL_MUST_CHECK;

/* ---- reading: a name that is none, is not there or is denied is LL_ENOTFOUND ---- */

struct blob {
    int fd;             /* the caller's to close */
    uint64_t size;      /* of the plain bytes */
    bool is_gzip;       /* the file holds them compressed */
    uint64_t disk_size; /* of the file */
};

ll_rc blob_open(struct blob_store *s, struct text name, struct blob *out,
                struct ll_error *err) LL_MUST_CHECK;
/* Its plain bytes, added to `out`. LL_EFULL: larger than `limit`. */
ll_rc blob_read(struct blob_store *s, struct text name, size_t limit, struct builder *out,
                struct ll_error *err) LL_MUST_CHECK;
/* As blob_read(), denied or not: what projections fold must not change with a list that
 * may change at any time. Hiding is for who answers. */
ll_rc blob_read_even_denied(struct blob_store *s, struct text name, size_t limit,
                            struct builder *out, struct ll_error *err) LL_MUST_CHECK;
/* A file without a name that holds `n` plain bytes of a compressed blob from `from` on;
 * the caller closes it. The range lies within the blob. */
ll_rc blob_inflate(struct blob_store *s, const struct blob *blob, uint64_t from,
                   uint64_t n, int *out, struct ll_error *err) LL_MUST_CHECK;
bool blob_exists(struct blob_store *s, struct text name);
/* Make it young: no sweep removes it for the grace period. False: it is not there. */
bool blob_touch(struct blob_store *s, struct text name);
/* Is the id on the deny-list? The file is looked at again when it has changed. */
bool blob_is_denied(struct blob_store *s, struct text id);
/* All ids on it as a JSON array of strings, for a query that leaves them out. */
void blob_denied_json(struct blob_store *s, struct builder *out);

/* ---- removing ---- */

/* For ever, whoever refers to it (erasure). LL_OK when it is not there either. */
ll_rc blob_remove(struct blob_store *s, struct text name,
                  struct ll_error *err) LL_MUST_CHECK;

enum { BLOB_SWEEP_BATCH = 1000 };

/* Says of each name whether something refers to it. */
typedef ll_rc (*blob_referenced)(void *context, const struct text *names, size_t n,
                                 bool *is_referenced, struct ll_error *err);

struct blob_sweep {
    uint64_t seen, removed, removed_bytes, drafts;
};

/* Remove what is older than the grace period (`blobs.grace`) and unreferenced, and the
 * drafts of processes that have ended. `referenced` is asked about at most
 * BLOB_SWEEP_BATCH old names at a time; a failure of it ends the sweep. A blob that was
 * touched or kept meanwhile stays. */
ll_rc blob_store_sweep(struct blob_store *s, blob_referenced referenced, void *context,
                       struct blob_sweep *out, struct ll_error *err) LL_MUST_CHECK;

#endif
