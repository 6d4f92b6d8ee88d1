/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* text.c - see text.h. */
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_of(const char *s)
{
    return (struct text){s, s == NULL ? 0 : strlen(s)};
}

bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool text_is(struct text a, const char *b)
{
    return text_equal(a, text_of(b));
}

int text_compare(struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal_ignoring_case(struct text a, struct text b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
    return true;
}

bool text_starts_with(struct text t, const char *prefix)
{
    size_t n = strlen(prefix);

    return t.len >= n && memcmp(t.ptr, prefix, n) == 0;
}

/* Bytes of the character that starts at s, or 0 when it is malformed. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    uint32_t point;
    size_t n;

    if (s[0] < 0x80) return s[0] == 0 ? 0 : 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        n = 2;
    else if ((s[0] & 0xf0) == 0xe0)
        n = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (left < n) return 0;

    point = s[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        point = point << 6 | (s[i] & 0x3fU);
    }
    if (n == 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return 0;
    if (n == 4 && (point < 0x10000 || point > 0x10ffff)) return 0;
    return n;
}

/* Eight bytes at once: none of them is NUL or beyond ASCII. */
static bool is_plain(const unsigned char *s)
{
    const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    uint64_t word;

    memcpy(&word, s, sizeof(word));
    return ((word | (word - ones)) & highs) == 0;
}

bool text_is_utf8(struct text t)
{
    const unsigned char *s = (const unsigned char *)t.ptr;

    for (size_t i = 0; i < t.len;) {
        size_t n = t.len - i >= 8 && is_plain(s + i) ? 8 : 0;

        /* The last few, together with some that were looked at before. */
        if (n == 0 && i > 0 && t.len - i < 8 && t.len >= 8 && is_plain(s + t.len - 8))
            return true;
        if (n == 0) n = utf8_length(s + i, t.len - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

bool text_cut(struct text *rest, char c, struct text *head)
{
    const char *at = rest->len ? memchr(rest->ptr, c, rest->len) : NULL;

    *head = *rest;
    if (at == NULL) {
        *rest = (struct text){rest->ptr + rest->len, 0};
        return false;
    }
    head->len = (size_t)(at - head->ptr);
    rest->ptr = at + 1;
    rest->len -= head->len + 1;
    return true;
}

bool text_to_u64(struct text t, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (t.len == 0 || (t.ptr[0] == '0' && t.len > 1)) return false;
    for (size_t i = 0; i < t.len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)t.ptr[i] - '0';

        if (digit > 9 || digit > max || n > (max - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

void builder_init(struct builder *b, size_t maximum)
{
    *b = (struct builder){.maximum = maximum};
}

void builder_fini(struct builder *b)
{
    free(b->ptr);
    *b = (struct builder){0};
}

void builder_reset(struct builder *b)
{
    b->len = 0;
    b->full = false;
    if (b->ptr != NULL) b->ptr[0] = '\0';
}

/* Room for n more bytes and the NUL; latches when the maximum says no. */
static bool reserve(struct builder *b, size_t n)
{
    size_t want;

    if (b->full || n > b->maximum || b->len > b->maximum - n) {
        b->full = true;
        return false;
    }
    want = b->len + n + 1;
    if (want <= b->capacity) return true;
    if (want < b->capacity * 2) want = b->capacity * 2;
    if (want < 64) want = 64;
    if (want > b->maximum + 1) want = b->maximum + 1;
    b->ptr = ll_realloc(b->ptr, want);
    b->capacity = want;
    return true;
}

void builder_add(struct builder *b, const void *bytes, size_t n)
{
    if (!reserve(b, n)) return;
    if (n > 0) memcpy(b->ptr + b->len, bytes, n);
    b->len += n;
    b->ptr[b->len] = '\0';
}

void builder_text(struct builder *b, struct text t)
{
    builder_add(b, t.ptr, t.len);
}

void builder_string(struct builder *b, const char *s)
{
    builder_add(b, s, strlen(s));
}

void builder_char(struct builder *b, char c)
{
    builder_add(b, &c, 1);
}

void builder_vprintf(struct builder *b, const char *fmt, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    LL_CHECK(n >= 0);
    if (!reserve(b, (size_t)n)) return;
    vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, args);
    b->len += (size_t)n;
}

void builder_printf(struct builder *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    builder_vprintf(b, fmt, args);
    va_end(args);
}

void builder_u64(struct builder *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    builder_add(b, digits + at, sizeof(digits) - at);
}

void builder_i64(struct builder *b, int64_t n)
{
    if (n < 0) builder_char(b, '-');
    builder_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static const char hex_digits[] = "0123456789abcdef";

void builder_hex(struct builder *b, const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    char *out;

    if (n > b->maximum / 2 || !reserve(b, 2 * n)) {
        b->full = true;
        return;
    }
    out = b->ptr + b->len; /* or the compiler would load both again for each digit */
    for (size_t i = 0; i < n; i++) {
        *out++ = hex_digits[s[i] >> 4];
        *out++ = hex_digits[s[i] & 15];
    }
    *out = '\0';
    b->len += 2 * n;
}

static void json_char(struct builder *b, unsigned char c)
{
    switch (c) {
    case '"': builder_string(b, "\\\""); return;
    case '\\': builder_string(b, "\\\\"); return;
    case '\n': builder_string(b, "\\n"); return;
    case '\r': builder_string(b, "\\r"); return;
    case '\t': builder_string(b, "\\t"); return;
    default: break;
    }
    if (c < 0x20)
        builder_printf(b, "\\u%04x", c);
    else
        builder_char(b, (char)c);
}

void builder_json_string(struct builder *b, struct text t)
{
    size_t plain = 0;

    builder_char(b, '"');
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];

        if (c >= 0x20 && c != '"' && c != '\\') continue;
        builder_add(b, t.ptr + plain, i - plain);
        json_char(b, c);
        plain = i + 1;
    }
    builder_add(b, t.ptr + plain, t.len - plain);
    builder_char(b, '"');
}

struct text builder_view(const struct builder *b)
{
    return b->ptr == NULL ? TEXT("") : (struct text){b->ptr, b->len};
}

char *builder_take(struct builder *b)
{
    char *s = b->ptr == NULL ? ll_strdup("") : b->ptr;

    b->ptr = NULL;
    builder_init(b, b->maximum);
    return s;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct text hex, void *out, size_t n)
{
    unsigned char *to = out;

    if (hex.len != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex.ptr[2 * i]), low = hex_value(hex.ptr[2 * i + 1]);

        if (high < 0 || low < 0) return false;
        to[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
