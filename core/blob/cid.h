/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* cid.h - the names of content: a file's hash, as the content server writes it.
 *
 * V1 is the IPFS CIDv1 of the file as UnixFS (raw leaves of 262,144 bytes, balanced tree
 * of 174, sha2-256, base32: "bafkrei...", "bafybei..."). V0 is base58 of 0x1220 and the
 * sha2-256 of all bytes ("Qm..."); it looks like an IPFS CIDv0 and is none. Both are made
 * in one pass and in constant memory, whatever the size (contract catalyst, 4.1).
 *
 * Threads: none. One owner.
 */
#ifndef LL_CID_H
#define LL_CID_H

#include "core/base/text.h"

enum { CID_TEXT = 60 }; /* the longest, NUL included */

enum cid_form { CID_NONE, CID_V0, CID_V1 };

/* One file's size and both its names. */
struct cids {
    uint64_t size;
    char v0[CID_TEXT], v1[CID_TEXT];
};

/* Which name a text may be, by its shape alone: "Qm" and 44, or "ba" and 57 letters and
 * digits of ASCII. Only what passes here may become part of a path. */
enum cid_form cid_form(struct text t);

/* The name of that form. */
const char *cids_name(const struct cids *c, enum cid_form form);

struct cid_hasher;

struct cid_hasher *cid_hasher_new(void);
void cid_hasher_free(struct cid_hasher *h);
void cid_hasher_add(struct cid_hasher *h, const void *bytes, size_t n);
/* What all the bytes since the last call are called; the hasher begins anew. */
void cid_hasher_finish(struct cid_hasher *h, struct cids *out);

/* Of bytes that are all there. */
void cids_of(struct text bytes, struct cids *out);

#endif
