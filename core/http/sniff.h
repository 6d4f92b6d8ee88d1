/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sniff.h - a file's media type by its first bytes: the few kinds that scenes and
 * wearables are made of. A table of our own, since libmagic would also find HTML and
 * scripts, which strangers' content must never be served as. */
#ifndef LL_SNIFF_H
#define LL_SNIFF_H

#include "core/base/text.h"

enum { SNIFF_BYTES = 64 };

/* "image/png"; NULL when the bytes say nothing. SNIFF_BYTES are enough. */
const char *sniff_type(struct text bytes);

#endif
