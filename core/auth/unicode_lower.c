/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* unicode_lower.c - ASCII by hand, the rest from the C library's C.UTF-8 locale (which
 * libc-bin always has), opened only for a text that needs it. */
#include "core/auth/unicode_lower.h"

#include <locale.h>
#include <wctype.h>

/* Bytes of the character that starts with `first`; 1 for what is no start. */
static size_t length_of(unsigned char first)
{
    if (first >= 0xf0) return 4;
    if (first >= 0xe0) return 3;
    return first >= 0xc0 ? 2 : 1;
}

static uint32_t decode(const char *s, size_t n)
{
    uint32_t point = (unsigned char)s[0] & (n == 1 ? 0xffU : 0xffU >> (n + 1));

    for (size_t i = 1; i < n; i++) point = point << 6 | ((unsigned char)s[i] & 0x3fU);
    return point;
}

static void encode(uint32_t point, struct builder *out)
{
    uint8_t s[4];
    size_t n = 0;

    if (point < 0x80) {
        s[n++] = (uint8_t)point;
    } else if (point < 0x800) {
        s[n++] = (uint8_t)(0xc0 | point >> 6);
        s[n++] = (uint8_t)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        s[n++] = (uint8_t)(0xe0 | point >> 12);
        s[n++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        s[n++] = (uint8_t)(0x80 | (point & 0x3f));
    } else {
        s[n++] = (uint8_t)(0xf0 | point >> 18);
        s[n++] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        s[n++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        s[n++] = (uint8_t)(0x80 | (point & 0x3f));
    }
    builder_add(out, s, n);
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') c = (char)(c | 0x20);
    return c;
}

static void add_lower(struct text t, struct builder *out)
{
    for (size_t i = 0; i < t.len; i++) builder_char(out, lower(t.ptr[i]));
}

struct text ascii_lower(struct text t, struct arena *arena)
{
    char *copy = arena_alloc(arena, t.len);

    for (size_t i = 0; i < t.len; i++) copy[i] = lower(t.ptr[i]);
    return (struct text){copy, t.len};
}

/* Up to the next character that is not ASCII. */
static struct text ascii_start(struct text t)
{
    size_t n = 0;

    while (n < t.len && (unsigned char)t.ptr[n] < 0x80) n++;
    return (struct text){t.ptr, n};
}

static void lower_character(struct text c, locale_t locale, struct builder *out)
{
    uint32_t point = decode(c.ptr, c.len);
    uint32_t low = (uint32_t)towlower_l((wint_t)point, locale);

    if (point == 0x130) /* the one capital whose lower case is two characters */
        builder_add(out, "i\xcc\x87", 3);
    else if (low == point)
        builder_text(out, c);
    else
        encode(low, out);
}

void unicode_lower(struct text t, struct builder *out)
{
    struct text plain = ascii_start(t);
    locale_t locale = (locale_t)0;

    if (plain.len < t.len) locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    while (t.len > 0) {
        plain = ascii_start(t);
        add_lower(plain, out);
        t = (struct text){t.ptr + plain.len, t.len - plain.len};
        if (t.len > 0) {
            size_t n = length_of((unsigned char)t.ptr[0]);

            if (n > t.len) n = t.len;
            if (locale == (locale_t)0 || n == 1)
                builder_add(out, t.ptr, n);
            else
                lower_character((struct text){t.ptr, n}, locale, out);
            t = (struct text){t.ptr + n, t.len - n};
        }
    }
    if (locale != (locale_t)0) freelocale(locale);
}
