/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* text.h - strings: views that own nothing, and a builder with a maximum.
 *
 * A view is pointer and length; it may hold any byte. A builder grows to the size
 * it was born with and then latches: everything after the first refusal is ignored
 * and the one check at the end sees it.
 */
#ifndef LL_TEXT_H
#define LL_TEXT_H

#include "core/base/base.h"

#include <stdarg.h>

struct text {
    const char *ptr; /* never NULL when len > 0 */
    size_t len;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_ARGS(t)  (int)(t).len, (t).ptr /* for printf's "%.*s" */

/* A view of a C string; NULL is the empty view. */
struct text text_of(const char *s);
bool text_equal(struct text a, struct text b);
bool text_is(struct text a, const char *b);
/* Bytewise order, as memcmp and strcmp have it. */
int text_compare(struct text a, struct text b);
bool text_equal_ignoring_case(struct text a, struct text b); /* ASCII only */
bool text_starts_with(struct text t, const char *prefix);
/* True for well-formed UTF-8 (RFC 3629) without NUL. */
bool text_is_utf8(struct text t);
/* Split at the first `c`: what is before goes to `head`, `rest` keeps what is behind
 * it. False, with all of it in `head`, when there is no `c`. */
bool text_cut(struct text *rest, char c, struct text *head);
/* Decimal without sign or leading zero, at most `max`; the whole view. */
bool text_to_u64(struct text t, uint64_t max, uint64_t *out);

struct builder {
    char *ptr; /* NUL-terminated once anything was added */
    size_t len, capacity, maximum;
    bool full; /* latched: something did not fit */
};

/* `maximum`: bytes at which it refuses to grow. Free with builder_fini(). */
void builder_init(struct builder *b, size_t maximum);
void builder_fini(struct builder *b);
/* Empty it, keeping the memory, and clear the latch. */
void builder_reset(struct builder *b);
void builder_add(struct builder *b, const void *bytes, size_t n);
void builder_text(struct builder *b, struct text t);
void builder_string(struct builder *b, const char *s);
void builder_char(struct builder *b, char c);
void builder_printf(struct builder *b, const char *fmt, ...) LL_PRINTF(2, 3);
void builder_vprintf(struct builder *b, const char *fmt, va_list args) LL_PRINTF(2, 0);
void builder_u64(struct builder *b, uint64_t n);
void builder_i64(struct builder *b, int64_t n);
/* Lower-case hexadecimal. */
void builder_hex(struct builder *b, const void *bytes, size_t n);
/* A JSON string with its quotes; control characters are escaped. */
void builder_json_string(struct builder *b, struct text t);
/* What was built; "" when nothing was. Valid until the next change. */
struct text builder_view(const struct builder *b);
/* The buffer as a heap string, which the caller frees; the builder is then empty. */
char *builder_take(struct builder *b);

/* Read `n` bytes from 2n hexadecimal digits of either case; false on anything else. */
bool hex_decode(struct text hex, void *out, size_t n);

#endif
