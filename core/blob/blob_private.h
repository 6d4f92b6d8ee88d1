/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_private.h - what the files of this room share of a store; for them alone. */
#ifndef LL_BLOB_PRIVATE_H
#define LL_BLOB_PRIVATE_H

#include "core/blob/blob_store.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { BLOB_PATH = 1024, BLOB_SHARD = 3, BLOB_BUFFER = 64 * 1024 };

struct blob_store {
    char *folder;
    int64_t grace_ms;
    uint64_t reserve; /* bytes */
    pthread_mutex_t mutex;
    /* behind the mutex: */
    char *drafts;            /* this process' folder of drafts; NULL: none yet */
    int drafts_lock;         /* held while the process lives */
    char *denied;            /* what the ids of the deny-list lie in */
    const char **denied_ids; /* sorted */
    size_t denied_count;
    struct timespec deny_time; /* of the file that was read, and its size */
    off_t deny_size;
};

/* Where a blob of that name lies; `suffix` is "" or ".gzip". */
void blob_path(const struct blob_store *s, const char *name, const char *suffix,
               char out[BLOB_PATH]);
/* The shard's folder of a name. */
void blob_shard_path(const struct blob_store *s, const char *name, char out[BLOB_PATH]);
/* <folder>/<rest> */
void blob_path_of(const struct blob_store *s, const char *rest, char out[BLOB_PATH]);
/* Make a blob young where it is there in either form; false where it is not. The caller
 * holds the store's lock. */
bool blob_make_young(const struct blob_store *s, const char *name);

/* Take the store's lock between processes (LOCK_SH, LOCK_EX); close the descriptor to
 * let go. -1 with errno. */
int blob_lock(const struct blob_store *s, int how);

/* Plain bytes of an open compressed file, `n` from `from` on, each piece to `take`. */
ll_rc blob_gunzip(int fd, uint64_t from, uint64_t n,
                  ll_rc (*take)(void *context, const void *bytes, size_t n,
                                struct ll_error *err),
                  void *context, struct ll_error *err) LL_MUST_CHECK;
/* The plain bytes of an open one, at its first byte. LL_EFULL: more than `limit`. */
ll_rc blob_read_open(const struct blob *b, size_t limit, struct builder *out,
                     struct ll_error *err) LL_MUST_CHECK;
/* A new file without a name among the drafts. */
ll_rc blob_nameless(struct blob_store *s, int *out, struct ll_error *err) LL_MUST_CHECK;

/* All of it, in as many writes as it takes. LL_EFULL: the disk is full. */
ll_rc blob_write_all(int fd, const void *bytes, size_t n,
                     struct ll_error *err) LL_MUST_CHECK;

#endif
