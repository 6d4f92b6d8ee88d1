/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* uuid.h - RFC 9562 identifiers: version 5 where an id must come out the same again,
 * version 7 where it must be new. */
#ifndef LL_UUID_H
#define LL_UUID_H

#include "core/base/text.h"

enum { UUID_TEXT = 37 }; /* 36 characters and NUL */

struct uuid {
    uint8_t bytes[16];
};

/* The namespace of every name-based id Landlog makes. */
extern const struct uuid uuid_landlog;

bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);
/* 8-4-4-4-12 hexadecimal digits of either case; false on anything else. */
bool uuid_parse(struct text t, struct uuid *out);
void uuid_print(const struct uuid *u, char out[UUID_TEXT]);
/* SHA-1 of namespace and name (section 5.5). */
struct uuid uuid_v5(const struct uuid *name_space, struct text name);
/* Unix ms, then random bits (section 5.7). */
struct uuid uuid_v7(int64_t now_ms);
/* The first 16 bytes of SHA-256: a key for a text of any length. No version bits. */
struct uuid uuid_hash(struct text t);

#endif
