/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* range.h - the Range header, as far as the contract (catalyst, 3.3) goes: one range of
 * bytes. */
#ifndef LL_RANGE_H
#define LL_RANGE_H

#include "core/base/text.h"

enum range {
    RANGE_WHOLE, /* absent, or of a kind that is ignored */
    RANGE_PART,
    RANGE_OUTSIDE /* 416 */
};

/* `bytes=a-b`, `bytes=a-` or `bytes=-n` of something of `size` bytes; *first and *last,
 * inclusive, are set for a part, which is never empty. */
enum range range_parse(struct text header, uint64_t size, uint64_t *first,
                       uint64_t *last);

#endif
